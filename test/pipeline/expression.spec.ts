import fc from 'fast-check';
import { ExpressionFormula } from '../../src/execution/pipeline/expression.js';
import { valueOf } from '../../src/execution/pipeline/formula.js';
import { evaluateLogic } from '../../src/execution/pipeline/logic-engine.js';
import type { JsonValue } from '../../src/shared/json.js';

describe('an expression', () => {
  const known = {
    input: {
      list: [3, 1, 2],
      min: 2,
      n: null,
      people: [
        { name: 'alice', age: 3 },
        { name: 'bob', age: 1 },
      ],
    },
    steps: { triage: { score: 0.42 } },
  } as const;
  const evaluate = (source: JsonValue, what: object = known): unknown => {
    const formula = ExpressionFormula.read(source);
    if (!(formula instanceof ExpressionFormula)) throw new Error(JSON.stringify(formula));
    return valueOf(formula, what as never);
  };

  it.each<[JsonValue, unknown]>([
    [
      { text: { cat: ['score ', { var: 'steps.triage.score' }] }, plain: [1, { a: null }] },
      { text: 'score 0.42', plain: [1, { a: null }] },
    ],
    [{ filter: [{ var: 'input.list' }, { '>=': [{ var: '' }, { var: '../../input.min' }] }] }, [3, 2]],
    [
      { map: [{ var: 'input.people' }, { who: { var: 'name' }, of: { length: { var: '../../input.people' } } }] },
      [
        { who: 'alice', of: 2 },
        { who: 'bob', of: 2 },
      ],
    ],
    [
      {
        map: [
          { var: 'input.people' },
          { map: [[1], { cat: [{ var: '../../name' }, { var: '../../../../input.min' }] }] },
        ],
      },
      [['alice2'], ['bob2']],
    ],
    [{ reduce: [{ var: 'input.list' }, { '+': [{ var: 'accumulator' }, { var: 'current' }] }, 0] }, 6],
    [
      {
        if: [
          { some: [{ var: 'input.people' }, { '==': [{ var: 'name' }, 'bob'] }] },
          { found: { var: 'input.min' } },
          null,
        ],
      },
      { found: 2 },
    ],
    [{ var: ['input.none', { var: 'input.min' }] }, 2],
    [{ '==': [{ var: 'steps.triage' }, null] }, false],
    [{ preserve: { var: 'input' } }, { var: 'input' }],
    [{ '??': [{ var: 'input.n' }, 7] }, 7],
    [{ unknownOperator: [1, { '+': [1, 2] }] }, { unknownOperator: [1, 3] }],
    [{}, {}],
  ])('%j', (source, expected) => {
    expect(evaluate(source)).toEqual(expected);
    expect(evaluate(source)).toEqual(evaluate(source));
  });

  it('reaches no prototype and no function, whatever it is called', () => {
    for (const path of [
      'constructor',
      'input.constructor.name',
      '__proto__',
      'input.list.map',
      'toString',
      'input.__proto__.x',
    ]) {
      expect(evaluate({ var: path })).toBeNull();
    }
    for (const name of [
      'constructor',
      'valueOf',
      '__defineGetter__',
      'hasOwnProperty',
      'eachKey',
      'get',
      'pipe',
      'try',
      'throw',
    ]) {
      expect(evaluate({ [name]: [1] })).toEqual({ [name]: [1] });
      expect(evaluate({ if: [true, { [name]: [1] }] })).toEqual({ [name]: [1] });
    }
    expect(evaluate({ var: 'input.x' }, { input: JSON.parse('{"__proto__": {"x": 1}}') as object })).toBeNull();
  });

  it('may cost only so much: lists in lists, texts that double, values that repeat themselves', () => {
    const input = { list: Array.from({ length: 400 }, (_, i) => i), text: 'x'.repeat(50_000) };
    const list = { var: '../../../../input.list' };
    const twice = (what: JsonValue): JsonValue => ({ cat: [what, what] });
    const hostile: JsonValue[] = [
      { map: [{ var: 'input.list' }, { map: [{ var: '../../input.list' }, { map: [list, 1] }] }] },
      { reduce: [{ var: 'input.list' }, twice({ var: 'accumulator' }), 'ab'] },
      {
        reduce: [{ var: 'input.list' }, { merge: [{ var: 'accumulator' }, { var: 'accumulator' }] }, { preserve: [1] }],
      },
      Array.from({ length: 100 }, () => ({ var: 'input.text' })),
    ];
    for (const source of hostile) {
      const begun = performance.now();
      expect(() => evaluate(source, { input, steps: {} })).toThrow(/takes more than|gives more than/);
      expect(performance.now() - begun).toBeLessThan(2_000);
    }
  });

  it('of any shape gives plain data or an error of ours', () => {
    const operators = [
      'var',
      'if',
      'map',
      'reduce',
      '+',
      '-',
      'cat',
      '==',
      '<',
      'in',
      'substr',
      'merge',
      'length',
      'keys',
      'all',
      'none',
      'max',
      '!',
      '??',
      '%',
      '/',
    ];
    const logic = fc.letrec<{ any: JsonValue }>((tie) => ({
      any: fc.oneof(
        { maxDepth: 4 },
        fc.constantFrom<JsonValue>(1, 'a', null, true, 'input.list', ''),
        fc.array(tie('any'), { maxLength: 3 }),
        fc.tuple(fc.constantFrom(...operators), tie('any')).map(([key, value]) => ({ [key]: value })),
      ),
    })).any;
    fc.assert(
      fc.property(logic, (source) => {
        const formula = ExpressionFormula.read(source);
        if (!(formula instanceof ExpressionFormula)) return;
        try {
          expect(typeof valueOf(formula, known)).not.toBe('function');
        } catch (error) {
          expect(error).toMatchObject({ code: 'pipeline_failed' });
        }
      }),
      { numRuns: 500 },
    );
    expect(() => evaluateLogic({ nothing: 1 }, {})).toThrow(expect.objectContaining({ code: 'pipeline_failed' }));
  });
});
