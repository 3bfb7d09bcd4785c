/**
 * Faults in what keeps MCP servers apart and in their bounds; see faults.mjs.
 *
 * @type {readonly import('./faults.mjs').Fault[]}
 */
export const MCP_FAULTS = [
  {
    name: 'users share connections to MCP servers',
    file: 'src/execution/mcp/mcp-pool.service.ts',
    search: 'if (names.length === 0) return `${userId}\\n${name}`;',
    replace: 'if (names.length === 0) return `${userId.slice(0, 0)}\\n${name}`;',
    spec: 'test/mcp/real-servers.spec.ts',
    only: 'neither sees',
  },
  {
    name: 'a cancelled call goes on in the MCP server',
    file: 'src/execution/mcp/session/mcp-session.ts',
    search: 'const stop = () => stopped.abort(CANCELLED);',
    replace: 'const stop = () => void CANCELLED;',
    spec: 'test/mcp/session.spec.ts',
    only: 'a cancel that the server hears',
  },
  {
    name: 'a tool that has changed since it was accepted is called',
    file: 'src/execution/mcp/accepted/accepted-tools.service.ts',
    search: 'known?.get(definition.tool) === hash',
    replace: '(known?.get(definition.tool) ?? hash) !== undefined',
    spec: 'test/mcp/accepted-tools.spec.ts',
    only: 'what changes is held back',
  },
  {
    name: 'a server that does not stop is kept',
    file: 'src/execution/mcp/session/cancelled-calls.ts',
    search: 'if (!hasAnswered) this.doesNotStop();',
    replace: 'if (!hasAnswered) this.told.delete(id);',
    spec: 'test/mcp/hostile-servers.spec.ts',
    only: 'does not listen any more',
  },
  {
    name: 'a question is put to a call that has not asked it',
    file: 'src/execution/mcp/session/calls-in-flight.ts',
    search: 'await this.until(() => this.calls.size <= 1 || this.isStuckAt(question), signal);',
    replace: 'await this.until(() => this.calls.size > 0 || this.isStuckAt(question), signal);',
    spec: 'test/mcp/real-servers.spec.ts',
    only: 'which of several calls',
  },
  {
    name: 'a server that the policy denies is connected to, and shown',
    file: 'src/execution/mcp/mcp-servers.service.ts',
    search: '|| !mayUseServer(this.policy, server, user))',
    replace: ')',
    spec: 'test/mcp/mcp-servers.spec.ts',
    only: 'nothing that the policy denies',
  },
  {
    name: 'what a server answers when it fails is logged',
    file: 'src/execution/mcp/connect-failure.ts',
    search: 'return new Error(`HTTP ${error.status}`);',
    replace: 'return error;',
    spec: 'test/mcp/transports.spec.ts',
    only: 'is not in the log',
  },
];
