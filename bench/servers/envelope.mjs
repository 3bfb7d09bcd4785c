/** Events of the same form and size as Carrel's, for whoever is measured beside it. */
let made = 0;

/** As much as a made-up event has: 300 bytes and a little more. */
export function envelope(type, runId, runSeq, data) {
  made += 1;
  return {
    v: 1,
    id: `evt_${String(made).padStart(26, '0')}`,
    type,
    seq: made,
    runSeq,
    runId,
    threadId: 'thr_00000000000000000000000000',
    agent: 'thinker',
    attempt: 1,
    at: new Date().toISOString(),
    data,
  };
}

/** The events of one run of the thinker: its begin, thoughts, and its end. */
export function* eventsOf(runId, text, events) {
  yield envelope('agent_started', runId, 1, { status: 'started', isolated: true, agent: 'thinker', input: { text } });
  for (let step = 1; step <= events - 2; step++) yield thought(runId, text, step);
  yield completed(runId, text, events);
}

export function thought(runId, text, step) {
  return envelope('agent_thinking', runId, step + 1, { thought: `thinking about ${text}`, step, progress: 0.5 });
}

export function completed(runId, text, events) {
  return envelope('agent_completed', runId, events, {
    status: 'completed',
    result: { text, words: 3 },
    durationMs: 2,
  });
}
