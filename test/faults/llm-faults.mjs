/**
 * Faults in how agents use language models; see `faults.mjs`.
 *
 * @type {readonly import('./faults.mjs').Fault[]}
 */
export const LLM_FAULTS = [
  {
    name: 'half an answer counts',
    file: 'src/execution/models/model-stream.ts',
    search: 'if (!finish || isCut(finish.finishReason))',
    replace: 'if (!finish)',
    spec: 'test/testing/scripted-model.spec.ts',
    only: 'breaks off and is slow',
  },
  {
    name: 'a provider is not left alone for as long as it asks',
    file: 'src/execution/models/model-failure.ts',
    search: 'const options = { cause, retryAfterMs: retryAfterMs(error, nowMs) };',
    replace: 'const options = { cause, retryAfterMs: Math.min(1, retryAfterMs(error, nowMs) ?? 0) };',
    spec: 'test/models/provider-failures.spec.ts',
    only: 'left alone for as long as it asks',
  },
  {
    name: 'a cancelled run lets the provider go on',
    file: 'src/execution/models/model-attempt.ts',
    search: 'abortSignal: this.call.signal,',
    replace: 'abortSignal: undefined,',
    spec: 'test/models/assistant.spec.ts',
    only: 'closes the connection',
  },
  {
    name: 'what a provider says is logged with its key',
    file: 'src/execution/models/model-failure.ts',
    search: 'new ProviderProblem(cutText(without(secrets, said), MAX_REASON_CHARS), statusCode)',
    replace:
      'new ProviderProblem(cutText(said, MAX_REASON_CHARS + secrets.length + without([], said).length), statusCode)',
    spec: 'test/models/provider-failures.spec.ts',
    only: 'nothing of prompts and keys',
  },
  {
    name: 'a fallback answers as if nothing had been',
    file: 'src/execution/run-steps.ts',
    search: "return end.outcome === 'ok' && fallback ? { ...end, degraded: true } : end;",
    replace: 'return end;',
    spec: 'test/models/provider-failures.spec.ts',
    only: 'replaced by its fallback',
  },
  {
    name: 'calls of an answer that was cut off are carried out',
    file: 'src/execution/models/tool-turn.ts',
    search: "const isCut = finishReason === 'length';",
    replace: "const isCut = finishReason === 'error';",
    spec: 'test/models/assistant.spec.ts',
    only: 'cut off at its limit',
  },
  {
    name: 'a call that is given up before its answer begins costs nothing',
    file: 'src/execution/models/model-attempt.ts',
    search: 'const mayCost = this.hasBegun || this.call.signal.aborted;',
    replace: 'const mayCost = this.hasBegun;',
    spec: 'test/models/budget-load.spec.ts',
    only: 'given up before its answer',
  },
];
