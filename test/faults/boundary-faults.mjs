/**
 * What stands around a run: the context that can not be changed, and the boot that stops when something is missing.
 *
 * @type {readonly import('./faults.mjs').Fault[]}
 */
export const BOUNDARY_FAULTS = [
  {
    name: 'a context can be changed',
    file: 'src/context/user-execution-context.ts',
    search: '    Object.freeze(this);\n',
    replace: '',
    spec: 'test/context/user-execution-context.spec.ts',
    only: 'can be changed nowhere',
  },
  {
    name: 'a server for production makes a key of its own',
    file: 'src/config/load-config.ts',
    search: "if (set.length === 0 && given.NODE_ENV === 'production') {",
    replace: 'if (set.length < 0) {',
    spec: 'test/config/load-config.spec.ts',
    only: 'is needed in production',
  },
  {
    name: 'all runs share one context',
    file: 'src/agents/agent-maker.ts',
    search: 'if (wrapper.metatype === contextOf) return (context) => context;',
    replace: `let first;
  if (wrapper.metatype === contextOf) return (context) => (first ??= context);`,
    spec: 'test/e2e/isolation.spec.ts',
  },
];
