import type { RunRequest } from '../execution/run-request.js';
import { CarrelError } from '../shared/errors.js';
import { THREAD_ID_PATTERN, type UserId } from '../shared/ids.js';
import { SHARED_STATE_FIELDS } from './shared-state-fields.js';

type Fields = Readonly<Record<string, unknown>>;
interface Issue {
  path: string;
  message: string;
}

const MAX_ISSUES = 10;
const MAX_NAME_LENGTH = 64;
const BODY_FIELDS = new Set(['agent', 'agent_name', 'state']);

/**
 * What a call with a shared state object asks for, by the table `SHARED_STATE_FIELDS`. A field that is `null` counts as
 * not given, as those who serialised the old state object wrote what they had not set.
 *
 * @throws CarrelError `forbidden` when the state names another user than the token; `invalid_request` with `issues` that
 *   name each field
 */
export function runRequestOfSharedState(body: unknown, userId: UserId): RunRequest & { agent: string } {
  const { state: givenState, ...call } = fieldsOf(body, 'the body');
  const state = fieldsOf(givenState, 'state');
  if (state['user_id'] !== undefined && state['user_id'] !== userId) {
    throw new CarrelError(
      'forbidden',
      'state.user_id is not the user of the token: the token says who asks, so leave it out or send the same',
    );
  }
  const issues = [
    ...unknownIn(call),
    ...Object.keys(state).flatMap(whyRefused),
    ...differing('agent', call['agent'], 'agent_name', call['agent_name']),
    ...differing('state.thread_id', state['thread_id'], 'state.chat_thread_id', state['chat_thread_id']),
  ];
  const request = {
    agent: text(call['agent'] ?? call['agent_name'], 'agent_name', issues) ?? '',
    input: inputOf(state, issues),
    threadId: threadIdOf(state, issues),
    metadata: metadataOf(state, issues),
  };
  if (request.agent === '') issues.push({ path: 'agent_name', message: 'agent_name must be the name of an agent' });
  if (issues.length === 0) return request;
  const shown = issues.slice(0, MAX_ISSUES).map((issue) => ({ ...issue }));
  throw new CarrelError('invalid_request', shown.map(({ message }) => message).join('; '), {
    details: { issues: shown },
  });
}

/** Those that are given. */
function fieldsOf(value: unknown, name: string): Fields {
  return Object.fromEntries(entriesOf(value, name).filter(([, field]) => field !== null));
}

function entriesOf(value: unknown, name: string): [string, unknown][] {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return Object.entries(value);
  const message = `${name} must be an object`;
  const path = name === 'the body' ? '' : name;
  throw new CarrelError('invalid_request', message, { details: { issues: [{ path, message }] } });
}

function unknownIn(call: Fields): Issue[] {
  return Object.keys(call)
    .filter((name) => !BODY_FIELDS.has(name))
    .map((name) => ({
      path: cut(name),
      message: `"${cut(name)}" is not known in the body, which has: agent_name, state`,
    }));
}

function whyRefused(name: string): Issue[] {
  const path = `state.${cut(name)}`;
  const field = SHARED_STATE_FIELDS.get(name);
  if (!field) {
    const known = [...SHARED_STATE_FIELDS].filter(([, { to }]) => to !== 'refused').map(([other]) => other);
    return [{ path, message: `${path} is not known; what can be sent: ${known.join(', ')}` }];
  }
  return field.to === 'refused' ? [{ path, message: `${path} is refused: ${field.about}` }] : [];
}

function differing(name: string, one: unknown, other: string, value: unknown): Issue[] {
  if (one === undefined || value === undefined || one === value) return [];
  return [{ path: name, message: `${name} and ${other} differ: send one of them` }];
}

function inputOf(state: Fields, issues: Issue[]): unknown {
  const request = text(state['user_request'], 'state.user_request', issues);
  if (state['agent_input'] !== undefined) return state['agent_input'];
  if (state['user_request'] === undefined) {
    issues.push({ path: 'state.user_request', message: 'state.user_request or state.agent_input must be given' });
  }
  return { text: request };
}

function threadIdOf(state: Fields, issues: Issue[]): string | undefined {
  const name = state['chat_thread_id'] === undefined ? 'thread_id' : 'chat_thread_id';
  const threadId = text(state[name], `state.${name}`, issues);
  if (threadId !== undefined && !THREAD_ID_PATTERN.test(threadId)) {
    const message = `state.${name} must be 1 to 128 letters, digits or . _ : - and begin with a letter or digit`;
    issues.push({ path: `state.${name}`, message });
  }
  return threadId;
}

/** The entries of `state.metadata`, and each field whose place is the metadata under its name there. */
function metadataOf(state: Fields, issues: Issue[]): Fields {
  const metadata = new Map(entriesOf(state['metadata'] ?? {}, 'state.metadata'));
  for (const [name, field] of SHARED_STATE_FIELDS) {
    const value = state[name];
    if (value === undefined || field.metadataKey === undefined) continue;
    if (name === 'user_request' && state['agent_input'] === undefined) continue;
    if (metadata.has(field.metadataKey)) {
      const message = `state.${name} becomes metadata.${field.metadataKey}, which state.metadata has already`;
      issues.push({ path: `state.${name}`, message });
    }
    metadata.set(field.metadataKey, value);
  }
  return Object.fromEntries(metadata);
}

function text(value: unknown, path: string, issues: Issue[]): string | undefined {
  if (value === undefined || typeof value === 'string') return value;
  issues.push({ path, message: `${path} must be a text` });
  return undefined;
}

function cut(name: string): string {
  return name.length > MAX_NAME_LENGTH ? `${name.slice(0, MAX_NAME_LENGTH)}…` : name;
}
