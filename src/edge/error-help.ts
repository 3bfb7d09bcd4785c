import type { ErrorCode } from '../shared/errors.js';
import { BOOT_ERROR_HELP } from './boot-error-help.js';
import { TOOL_ERROR_HELP, type ErrorHelp } from './error-help-tools.js';

/** What the documents say of each code, beside the table `ERRORS`; in Markdown, one paragraph each. */
export const ERROR_HELP: Readonly<Record<ErrorCode, ErrorHelp>> = {
  unauthenticated: {
    when: 'There is no token, it is not where tokens belong, or it is not one that this server trusts: not signed with its key, for another issuer or audience, without an end, or for a user id or roles that can not be used. The message says which.',
    remedy:
      'Send `Authorization: Bearer <token>`, and over Socket.IO `auth: { token }`; a token in the query, a cookie or another header is not read. `carrel token --user <id>` makes one for the embedded key.',
  },
  token_expired: {
    when: 'The token was good, but its end (`exp`) is past. An open socket or stream gets the event `auth_expired`, then it is closed.',
    remedy:
      'Get a new token and send the request again. Connect again with the last `seq` as `after` (or `Last-Event-ID`): no event is lost.',
  },
  keys_unavailable: {
    when: 'The keys of the identity provider (`CARREL_JWKS_URL`) can not be fetched, or are no keys. Tokens that were verified in the last minute still count.',
    remedy:
      'Wait as `Retry-After` says. If it lasts, look in the log for "the keys can not be fetched", and check the URL.',
  },
  forbidden: {
    when: 'You may see this, but not do it: the question is for users who have one of its `approvers` as role, the route is for operators, or a controller of your own application refuses the caller (`ForbiddenException`). What belongs to somebody else is answered with `not_found` instead.',
    remedy: 'Call it as a user who may: the message names the role.',
  },
  invalid_request: {
    when: 'The request or message itself is wrong: a property is missing, unknown or of the wrong type, the body is not JSON, a header, cursor or position can not be right, or metadata has a reserved key. Nothing was stored.',
    remedy: 'Correct what the message and `issues` name. `/docs` shows what each route takes.',
  },
  invalid_input: {
    when: 'The request is well-formed, but its `input` does not fit the schema of the agent, is nested too deep (`CARREL_JSON_DEPTH`) or has a reserved key. No run was made.',
    remedy: 'Correct what `issues` names; `GET /v1/agents/<name>` shows the schema and an example.',
  },
  unknown_agent: {
    when: 'No agent of this server has the name that a run asks for.',
    remedy:
      'Use one of `GET /v1/agents`; `near` has names that are like the one you sent. An agent of your own must be loaded with `carrel start --agents`.',
  },
  unknown_pipeline: {
    when: 'No pipeline of this server has the name that a run asks for.',
    remedy:
      'Use one of `GET /v1/pipelines`, or send a whole pipeline as `pipeline`. One of your own must be loaded with `carrel start --agents`.',
  },
  invalid_pipeline: {
    when: 'A pipeline that came with the request can not be carried out: a step depends on itself or on one that is not there, names an agent or a pipeline that this server does not have, or has a condition or a mapping that can not be right. The message and `issues` name the path. No run was made.',
    remedy: 'Correct the step at that path.',
  },
  invalid_schedule: {
    when: 'The cron expression, the time zone or the combination of them can not be used, or would never come due.',
    remedy:
      'Send five fields (six with seconds), such as `30 9 * * 1-5`, and an IANA time zone such as `Europe/Berlin`.',
  },
  invalid_answer: {
    when: 'The answer to a question does not fit its `schema`, or the decision does not fit its kind: an approval is approved or rejected, a question is answered or declined. The question stays open.',
    remedy: 'Correct what the message names; `GET /v1/approvals/<id>` shows what was asked.',
  },
  unknown_event: {
    when: 'A Socket.IO client sent a message of a name that the server does not know.',
    remedy: 'Use one of those that the message lists.',
  },
  not_found: {
    when: "There is nothing at the path, or no run, thread, question, schedule, agent or pipeline of that id for this caller. Somebody else's is answered exactly so. A Socket.IO client that connects to another namespace than `/agents` gets it too.",
    remedy: 'Check the path and the id, and whose token it is.',
  },
  method_not_allowed: {
    when: 'The path exists, but not with this method.',
    remedy: 'Use one of those in the header `Allow`.',
  },
  payload_too_large: {
    when: 'A body or a message has more bytes than `CARREL_BODY_LIMIT_BYTES`, or the headers are too large (then the status is 431). A message on a socket of more than four times the limit ends the connection.',
    remedy: 'Send less, or raise the limit of the server.',
  },
  unsupported_media_type: {
    when: 'The body was announced as something else than JSON.',
    remedy: 'Send JSON, with `Content-Type: application/json`.',
  },
  idempotency_conflict: {
    when: 'You have used this idempotency key for another request. The message names the run that it made.',
    remedy: 'Use a new key for a new request; the same key only with exactly the same request.',
  },
  run_ended: {
    when: 'What you asked for needs a run that has not ended, such as cancelling or resuming it; this one has.',
    remedy: 'Fetch the run to see how it ended; `POST /v1/runs/<id>/retry` tries it again.',
  },
  run_not_ended: {
    when: 'What you asked for needs a run that has ended, such as retrying it; this one has not.',
    remedy: 'Wait for its end, or cancel it first.',
  },
  thread_busy: {
    when: 'The thread has runs that have not ended: it was to be deleted, or a run was to be started in it with `onConflict: "reject"`.',
    remedy: 'Wait for them or cancel them (`GET /v1/threads/<id>/runs`), then try again.',
  },
  approval_closed: {
    when: 'The question was decided already (perhaps on another device), it has expired, or its run has ended. The first decision counts.',
    remedy: 'Nothing: fetch the question to see what became of it.',
  },
  approval_changed: {
    when: 'The `hash` that was sent with the decision is not the one of what is asked: the question that was shown is not the one that is open.',
    remedy: 'Fetch the question, show it again, and decide about what it says now.',
  },
  no_open_question: {
    when: 'A run was to be resumed that asks nothing which you may answer: it does not wait for a person, or not any more.',
    remedy:
      'Fetch the run. One that sleeps goes on by itself; one that has ended can be tried again (`POST /v1/runs/<id>/retry`).',
  },
  several_open_questions: {
    when: 'A run was to be resumed that asks more than one question at once.',
    remedy: 'Say which one with `approvalId`; `GET /v1/approvals` lists them.',
  },
  queue_full: {
    when: 'As many of your runs are waiting as may (`CARREL_USER_MAX_QUEUED`). No run was made, and nobody else is affected.',
    remedy: 'Wait as `Retry-After` says, or cancel runs that you no longer need; `GET /v1/me/queue` lists them.',
  },
  rate_limited: {
    when: 'You have started as many runs as you may within a minute (`CARREL_USER_STARTS_PER_MINUTE`), or too many messages of your socket wait for their answers.',
    remedy: 'Wait as `Retry-After` or `retryAfterMs` says; `GET /v1/me/limits` shows limits and use.',
  },
  too_many_sockets: {
    when: 'You have as many sockets, or as many event streams, open as you may (`CARREL_USER_MAX_SOCKETS`).',
    remedy: 'Close one. One socket is enough for all of your runs.',
  },
  too_many_suspended: {
    when: 'As many of your runs wait for a person or for time as may (`CARREL_USER_MAX_SUSPENDED`); the run that was about to wait, too, has failed instead.',
    remedy: 'Answer or cancel some (`GET /v1/approvals`, `GET /v1/runs?status=suspended`), then retry the run.',
  },
  too_many_schedules: {
    when: 'You have as many schedules as you may (`CARREL_USER_MAX_SCHEDULES`).',
    remedy: 'Delete one that you no longer need; `GET /v1/schedules` lists them.',
  },
  agent_disabled: {
    when: 'An operator has switched the agent (or pipeline) off: it takes no new runs, and what waited for it fails when its turn comes. The message has the reason. Other agents go on.',
    remedy:
      'Wait, or use another agent; `Retry-After` is when to ask again. Operators switch it on with `DELETE /v1/admin/switches/agent/<name>`.',
  },
  user_suspended: {
    when: 'An operator has switched this user off: nothing new can be started. What is there can still be read and cancelled.',
    remedy: 'Ask whoever runs the server. Operators switch a user on with `DELETE /v1/admin/switches/user/<id>`.',
  },
  too_many_switches: {
    when: 'For operators: as many agents and users are switched off as there may be, 10,000.',
    remedy: 'Switch some on again, or take away their tokens at the identity provider.',
  },
  agent_failed: {
    when: 'The agent threw an error, in each of its attempts if it has several. What it threw is in the log, under the support code, and nowhere else.',
    remedy: 'Start the run again; if it fails again, give the support code to whoever runs the server.',
  },
  agent_denied: {
    when: 'A guard of the agent refused this caller.',
    remedy: 'Use a token with the roles that the agent asks for.',
  },
  no_result: {
    when: 'The agent came to its end without returning anything.',
    remedy: "It is the agent's fault: it must return a value, `null` if there is nothing to say.",
  },
  invalid_result: {
    when: 'What the agent returned or yielded can not be written as JSON, is too large (`CARREL_BODY_LIMIT_BYTES`) or nested too deep (`CARREL_JSON_DEPTH`).',
    remedy: "It is the agent's fault; the message says what was wrong.",
  },
  attempt_timed_out: {
    when: "One attempt took longer than the agent's `timeoutMs` (else `CARREL_ATTEMPT_TIMEOUT_MS`), and so did those after it.",
    remedy: 'Ask for less at once, start the run again, or raise the limit.',
  },
  run_timed_out: {
    when: "The run, with its retries, reached its deadline: the agent's `deadlineMs`, else `CARREL_RUN_TIMEOUT_MS`.",
    remedy: 'Ask for less at once, or raise the limit.',
  },
  no_progress: {
    when: 'The agent did nothing for so long (`CARREL_NO_PROGRESS_MS`) that it was declared dead. Whatever it emits counts as progress.',
    remedy: 'Start the run again; an agent that works in silence should report its progress.',
  },
  step_timed_out: {
    when: 'A step took longer than its `timeoutMs`, in each of its attempts if it has several.',
    remedy: 'Retry the run: what has finished is not done again. Or ask for less at once, or raise the limit.',
  },
  step_not_done: {
    when: 'The process died while a step was under way that must not be done twice, and whoever was asked said that it was not to be done again.',
    remedy: 'Check what the step has already done, then start a new run.',
  },
  too_many_steps: {
    when: 'The run has made as many steps as a run may (`CARREL_RUN_MAX_STEPS`), those of its children included.',
    remedy: 'Do more in one step, or split the work among several runs.',
  },
  nondeterministic_agent: {
    when: 'The agent ran again from the top, and made another step than the one that is recorded in its place. The message names both.',
    remedy:
      "It is the agent's fault: its steps must come in the same order whenever it runs. What can differ (time, random numbers, the outside world) belongs inside a step.",
  },
  pipeline_failed: {
    when: 'A step of the pipeline failed that the pipeline can not go on without. The message names its path; the result of each step is in the events.',
    remedy: 'Retry the run with `reuseSteps`: the steps that have finished are not done again.',
  },
  circuit_open: {
    when: "The agent has failed too often for you lately, and is left alone for a while. Other users' failures have no part in it.",
    remedy: 'Wait as `retryAfterMs` says, then start the run again.',
  },
  hook_failed: {
    when: 'A hook of this server refused the run, or failed before it could begin.',
    remedy: 'Give the support code to whoever runs the server: its log has the reason.',
  },
  worker_failed: {
    when: 'The agent has a thread of its own (`isolate`), and that thread ended before the agent did: it ran out of memory or was ended by what it runs.',
    remedy: 'Ask for less at once, or raise the memory limit of the agent; then start the run again.',
  },
  interrupted: {
    when: 'The server stopped or crashed while the run was under way, and the agent is not declared `idempotent`, so that it was not run again by itself.',
    remedy: 'Check what the run has already done, then start it again.',
  },
  run_closed: {
    when: 'An agent emitted or called a tool after the end of its run, for instance after a cancel. Users do not meet it, unless an agent passes it on.',
    remedy: "It is the agent's matter: it should stop when its signal says so.",
  },
  context_disposed: {
    when: 'Code of an agent used the execution context, or something from it, after the end of the run.',
    remedy: "It is the agent's fault: what outlives a run must not hold on to its context.",
  },
  ...TOOL_ERROR_HELP,
  draining: {
    when: 'The server is shutting down: it takes no new runs and no new connections. `/ready` says so from the beginning.',
    remedy: 'Wait as `Retry-After` says and try again: another process, or the next one, will answer.',
  },
  not_ready: {
    when: 'At `/ready`: something that the server stands on is down, such as its storage. `parts` says what.',
    remedy:
      'Wait as `Retry-After` says: a load balancer asks somewhere else meanwhile. If it lasts, look at the part that is named, and in the log.',
  },
  database_unavailable: {
    when: 'With PostgreSQL: it can not be reached at the start, or could not for longer than Carrel tries again by itself.',
    remedy: 'Try again after a while. At the start: start PostgreSQL, or correct `DATABASE_URL`.',
  },
  internal: {
    when: 'Something failed that nobody has foreseen. The details are in the log, under the support code.',
    remedy: 'Try again; if it lasts, give the support code to whoever runs the server.',
  },
  ...BOOT_ERROR_HELP,
};
