/**
 * What `import … from 'carrel'` means in a worker: what an agent's own file needs, without the server, which takes a hundred
 * times as long to load and as much memory as a worker may have.
 */
export { Agent } from '../agent.decorator.js';
export { AgentTool } from '../tools/agent-tool.decorator.js';
export { RetryableError, TerminalError } from '../agent-error.js';
export { switchToAgent } from '../agent-execution-context.js';
export { UserExecutionContext } from '../../context/user-execution-context.js';
export { CarrelError } from '../../shared/errors.js';
