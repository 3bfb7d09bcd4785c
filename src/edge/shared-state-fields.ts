/** Where a field of the old shared state object goes. */
interface SharedStateField {
  to: 'input' | 'threadId' | 'metadata' | 'compared' | 'ignored' | 'refused';
  /** The name under which the field is in the run's metadata, when it can be there. */
  metadataKey?: string;
  /** What becomes of it, or why nothing does; a clause without a full stop. */
  about: string;
}

/**
 * The way over from a shared state object, field by field. docs/migrating-from-shared-state.md shows this table, and the
 * OpenAPI document says the same; a field that is not in here is refused by its name.
 */
export const SHARED_STATE_FIELDS: ReadonlyMap<string, SharedStateField> = new Map<string, SharedStateField>([
  [
    'user_request',
    {
      to: 'input',
      metadataKey: 'user_request',
      about: 'the input is `{ text: user_request }`; beside `agent_input` it goes to `metadata.user_request`',
    },
  ],
  ['agent_input', { to: 'input', about: "the input as it is, checked by the agent's own schema" }],
  ['chat_thread_id', { to: 'threadId', about: 'one of the caller’s threads, made if there is none of that id' }],
  ['thread_id', { to: 'threadId', about: 'the same under its other name; when both are sent they must agree' }],
  ['user_id', { to: 'compared', about: 'must be the user of the token, else `forbidden`; it decides nothing' }],
  ['run_id', inMetadata('legacyRunId', 'a note; ids of runs are made by the server')],
  ['request_id', inMetadata('legacyRequestId', 'a note; send `X-Request-Id` to name a request')],
  ['metadata', { to: 'metadata', about: 'its entries are entries of the metadata' }],
  ['user_prompt', inMetadata('user_prompt')],
  ['current_request', inMetadata('current_request')],
  ['tool_arguments', inMetadata('tool_arguments')],
  ['agent_context', inMetadata('agent_context')],
  ['final_answer', inMetadata('final_answer', 'what an earlier agent has answered; nothing is written back to it')],
  ['step_count', inMetadata('step_count', 'what an earlier agent has counted; nothing is written back to it')],
  ['correlation_id', inMetadata('correlation_id', 'a note; send `traceparent` to follow a request')],
  ['session_id', inMetadata('session_id', 'a note; nothing is looked up by it')],
  ['websocket_client_id', { to: 'ignored', about: 'events go to all sockets of the user' }],
  ['websocket_connection_id', { to: 'ignored', about: 'events go to all sockets of the user' }],
  ['created_at', { to: 'ignored', about: 'the server notes when it took the run' }],
  ['audit_metadata', { to: 'ignored', about: 'the server keeps its own trail, from the request itself' }],
  ['operation_depth', { to: 'ignored', about: 'the server counts how deep contexts are nested' }],
  ['parent_request_id', { to: 'ignored', about: 'the server knows which run has started which' }],
  ['roles', { to: 'refused', about: 'what a user may do is said by the token' }],
  ['permissions', { to: 'refused', about: 'what a user may do is said by the token' }],
  ['db_session', { to: 'refused', about: 'a session is not data; an agent injects what it needs' }],
]);

function inMetadata(key: string, about = 'agents read it from `context.metadata`'): SharedStateField {
  return { to: 'metadata', metadataKey: key, about };
}
