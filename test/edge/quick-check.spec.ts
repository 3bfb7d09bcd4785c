import { IsInt, IsString, Length, ValidateNested, validateSync } from 'class-validator';
import fc from 'fast-check';
import { IfGiven } from '../../src/edge/checks.js';
import { quickCheckOf } from '../../src/edge/quick-check.js';
import { StartRunDto } from '../../src/edge/start-run.dto.js';

describe('quickCheckOf', () => {
  it('never says that a body is right which class-validator refuses, and knows those that it takes', () => {
    const isRight = quickCheckOf(StartRunDto);
    const value = fc.oneof(
      fc.constantFrom(undefined, null, '', 'summarise', 'enqueue', 'reject', 'a b', 0, 7, 1.5, {}, []),
      fc.string(),
    );
    const names = ['agent', 'pipeline', 'threadId', 'metadata', 'priority', 'input', 'delayMs', 'onConflict'];
    const bodies = fc.record(Object.fromEntries(names.map((name) => [name, value])), { requiredKeys: [] });
    fc.assert(
      fc.property(bodies, (body) => {
        const dto = Object.assign(new StartRunDto(), body);
        expect(isRight(dto)).toBe(validateSync(dto, { forbidUnknownValues: true }).length === 0);
      }),
    );
  });

  it('leaves what it does not know to class-validator', () => {
    class Inner {
      @IsInt()
      n = 1;
    }
    class Outer {
      @ValidateNested()
      inner = new Inner();
    }
    class Each {
      @IsString({ each: true })
      names = ['a'];
    }
    class None {}
    for (const dtoClass of [Outer, Each, None]) expect(quickCheckOf(dtoClass)(new dtoClass())).toBe(false);
  });

  it('looks at a rule with a condition only where the condition is met', () => {
    class Named {
      @IfGiven()
      @Length(1, 3)
      name?: string;
    }
    const isRight = quickCheckOf(Named);
    const named = (name?: string) => Object.assign(new Named(), { name });
    expect([named(), named('abc'), named('abcd')].map(isRight)).toEqual([true, true, false]);
  });
});
