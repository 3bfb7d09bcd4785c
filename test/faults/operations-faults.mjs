/**
 * Faults in what operators are promised, and users of them; see faults.mjs.
 *
 * @type {readonly import('./faults.mjs').Fault[]}
 */
export const OPERATIONS_FAULTS = [
  {
    name: 'whoever has a token is an operator',
    file: 'src/edge/admin/operator.decorator.ts',
    search: '!context.roles.includes(OPERATOR_ROLE)',
    replace: 'context.roles.includes("nobody")',
    spec: 'test/edge/operators.spec.ts',
    only: 'for nobody without the role',
  },
  {
    name: 'an agent that is switched off goes on with what waits',
    file: 'src/execution/agent-call.ts',
    search: 'this.parts.switchboard.assertAgentIsOn(this.facts.callee.name);',
    replace: '',
    spec: 'test/edge/operators.spec.ts',
    only: 'fail when its turn comes',
  },
  {
    name: 'a user who is switched off starts runs',
    file: 'src/execution/operations/switchboard.ts',
    search: 'if (user) throw',
    replace: 'if (false as boolean && user) throw',
    spec: 'test/edge/operators.spec.ts',
    only: 'has a user start nothing',
  },
  {
    name: 'an operator looks at what is a user’s without a trace',
    file: 'src/execution/operations/kill-switches.service.ts',
    search: 'await this.store.record(',
    replace: 'void (',
    spec: 'test/edge/operators.spec.ts',
    only: 'written down',
  },
  {
    name: 'metrics have the names that requests bring',
    file: 'src/execution/metrics/agent-label.ts',
    search: "if (!isOurs || this.known.size >= MAX_LABELS) return 'other';",
    replace: 'if (!isOurs && this.known.size >= MAX_LABELS) return "other";',
    spec: 'test/edge/metrics.spec.ts',
    only: 'a client can make up',
  },
  {
    name: 'traces have what users said',
    file: 'src/execution/tracing/tracing.service.ts',
    search: 'if (this.hasContent) span.set',
    replace: 'span.set',
    spec: 'test/tracing/tracing.spec.ts',
    only: 'in the trace that asked for it',
  },
];
