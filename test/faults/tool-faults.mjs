/**
 * Faults in what tool calls promise; see faults.mjs.
 *
 * @type {readonly import('./faults.mjs').Fault[]}
 */
export const TOOL_FAULTS = [
  {
    name: 'one tool that has waited for the disk lets all others begin',
    file: 'src/execution/step-log.ts',
    search: 'return this.run.emitter.whenOnDisk(this.behind);',
    replace: 'return this.run.emitter.whenOnDisk(this.behind).then(() => void (this.behind = 0));',
    spec: 'test/tools/written-behind.spec.ts',
    only: 'has just waited for an earlier answer',
  },
  {
    name: 'a tool with effects is called before the answer that it follows from is on disk',
    file: 'src/execution/begin-step.ts',
    search: "if (spec.effect === 'idempotent' && spec.kind !== 'agent') await log.caughtUp();",
    replace: '',
    spec: 'test/tools/written-behind.spec.ts',
    only: 'is on disk before a tool is called that is "idempotent"',
  },
  {
    name: 'the policy decides what is listed, and not what is called',
    file: 'src/execution/tools/tool-catalogue.service.ts',
    search: 'if ((found ?? held) && !mayUse(',
    replace: 'if (held && !mayUse(',
    spec: 'test/tools/tool-policy.spec.ts',
    only: 'decides again at each call',
  },
  {
    name: 'a tool is called without the approval that it needs',
    file: 'src/execution/call-tool-step.ts',
    search: "if (decision !== 'approved') throw tool.declined(decision);",
    replace: "if (decision === 'withdrawn') throw tool.declined(decision);",
    spec: 'test/tools/tool-questions.spec.ts',
    only: 'is not called when it is rejected',
  },
  {
    name: 'a call that was interrupted is made again though it must be made once',
    file: 'src/execution/begin-step.ts',
    search: "if (recorded.state === 'started' && recorded.effect === 'once')",
    replace: "if (recorded.state === 'started' && recorded.effect === 'once' && recorded.kind !== 'tool')",
    spec: 'test/tools/tool-steps.spec.ts',
    only: 'must not be made twice',
  },
  {
    name: 'a tool that does not hear a cancel stays told to be at work',
    file: 'src/execution/attempt.ts',
    search: 'steps.leaveOpen();',
    replace: '',
    spec: 'test/tools/tool-calls.spec.ts',
    only: 'does not hear a cancel',
  },
  {
    name: 'all attempts share the instance of a request-scoped tool',
    file: 'src/agents/tools/agent-tool-invoker.service.ts',
    search: 'provider.isDependencyTreeStatic() && !provider.isTransient;',
    replace: 'provider.instance !== undefined;',
    spec: 'test/tools/tool-calls.spec.ts',
    only: 'have request-scoped tools of their own',
  },
];
