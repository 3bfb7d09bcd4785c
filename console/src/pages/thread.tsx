import { Button, Select, Textarea } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { CarrelClientError, type MessageView } from 'carrel/client';
import { useEffect, useState, type FormEvent } from 'react';
import { Link, useNavigate, useParams } from 'react-router';
import { useCarrel } from '../carrel.js';
import { Prose } from '../markdown/prose.js';
import { RunTable } from '../parts/run-table.js';
import { Value } from '../parts/shown.js';
import { Loading, PageTitle, Problem } from '../parts/states.js';

/** A conversation: what was said in it, and what is being said. */
export function ThreadPage() {
  const { id = '' } = useParams();
  const { client } = useCarrel();
  const queries = useQueryClient();
  const navigate = useNavigate();
  const [live, setLive] = useState<{ runId?: string; said: string; answer: string }>();
  const [error, setError] = useState<unknown>();
  const messages = useQuery({
    queryKey: ['threads', id, 'messages'],
    queryFn: ({ signal }) => unlessNew(client.threads.messages(id, { limit: 100, signal })),
  });
  const runs = useQuery({
    queryKey: ['runs', 'thread', id],
    queryFn: ({ signal }) => unlessNew(client.threads.runs(id, { limit: 20, signal })),
  });

  async function say(agent: string, text: string): Promise<void> {
    setError(undefined);
    setLive({ said: text, answer: '' });
    try {
      const run = await client.runs.start({ agent, input: { text }, threadId: id });
      setLive({ runId: run.id, said: text, answer: '' });
      let answer = '';
      for await (const event of run.events()) {
        if (event.type === 'agent_message_delta')
          setLive({ runId: run.id, said: text, answer: (answer += event.data.text) });
        if (event.type === 'agent_error') setError(new Error(event.data.error.message));
      }
    } catch (thrown) {
      setError(thrown);
    }
    await queries.invalidateQueries({ queryKey: ['threads', id] });
    await queries.invalidateQueries({ queryKey: ['runs', 'thread', id] });
    setLive(undefined);
  }

  /** What was said live is in the conversation by now. */
  const isKept = (role: string) =>
    messages.data?.items.some((message) => message.runId === live?.runId && message.role === role);

  return (
    <>
      <PageTitle title={id}>
        <Link to="/threads">All threads</Link>
        <span className="grow" />
        {messages.data && (
          <Button
            size="compact-sm"
            variant="default"
            onClick={() => void client.threads.delete(id).then(() => navigate('/threads'), setError)}
          >
            Delete
          </Button>
        )}
      </PageTitle>
      <div className="stack">
        <div className="stack" role="log" aria-label="Conversation">
          {messages.isPending && <Loading />}
          {messages.data?.items.map((message) => (
            <Message key={message.id} message={message} />
          ))}
          {live && !isKept('user') && <Bubble role="user" text={live.said} />}
          {live && !isKept('assistant') && <Bubble role="assistant" text={live.answer || '…'} />}
        </div>
        {error !== undefined && <Problem error={error} />}
        <Composer isBusy={live !== undefined} onSay={say} />
        {runs.data && runs.data.items.length > 0 && (
          <details>
            <summary className="small">Runs of this thread</summary>
            <RunTable runs={runs.data.items} />
            <Link to={`/runs?threadId=${encodeURIComponent(id)}`} className="small">
              All of them
            </Link>
          </details>
        )}
      </div>
    </>
  );
}

/** A thread is made by its first run. */
async function unlessNew<T>(answer: Promise<T>): Promise<T | null> {
  return answer.catch((error: unknown) => {
    if (error instanceof CarrelClientError && error.code === 'not_found') return null;
    throw error;
  });
}

/** What somebody said. People's own words stay as they were typed. */
function Bubble({ role, text }: { role: string; text: string }) {
  const isTyped = role === 'user';
  return (
    <div className={isTyped ? 'bubble prose' : 'bubble'} data-role={role}>
      {isTyped ? text : <Prose text={text} />}
    </div>
  );
}

type Part = { type?: string; text?: string; toolName?: string; input?: unknown; output?: unknown };

function Message({ message: { role, content } }: { message: MessageView }) {
  if (typeof content === 'string') return <Bubble role={role} text={content} />;
  const parts = (Array.isArray(content) ? content : [content]) as Part[];
  return parts.map((part, i) =>
    part.type === 'text' ? (
      <Bubble key={i} role={role} text={part.text ?? ''} />
    ) : (
      <details key={i} className="bubble small">
        <summary>
          {part.type === 'tool-call' ? '⚙ called' : '⚙ answer of'} {part.toolName ?? part.type}
        </summary>
        <Value value={part.input ?? part.output ?? part} />
      </details>
    ),
  );
}

/** Agents that one can talk with: those that take a text and nothing else that must be given. */
function Composer({ isBusy, onSay }: { isBusy: boolean; onSay: (agent: string, text: string) => Promise<void> }) {
  const { client } = useCarrel();
  const [text, setText] = useState('');
  const [agent, setAgent] = useState<string | null>(null);
  const agents = useQuery({ queryKey: ['agents'], queryFn: ({ signal }) => client.agents.list({ signal }) });
  const names = (agents.data ?? [])
    .filter(({ inputSchema }) => {
      const { properties = {}, required = [] } = (inputSchema ?? {}) as { properties?: object; required?: string[] };
      return 'text' in properties && required.every((name) => name === 'text');
    })
    .map(({ name }) => name);
  useEffect(() => {
    if (agent === null && names.length > 0) setAgent(names.includes('assistant') ? 'assistant' : names[0]!);
  }, [agents.data]);

  function submit(event: FormEvent): void {
    event.preventDefault();
    if (agent === null || text.trim() === '') return;
    setText('');
    void onSay(agent, text);
  }
  return (
    <form className="card stack" onSubmit={submit}>
      <Textarea
        label="Your message"
        autosize
        minRows={2}
        maxRows={10}
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) submit(event);
        }}
      />
      <div style={{ display: 'flex', gap: '0.6rem', flexWrap: 'wrap' }}>
        <Select aria-label="Agent" data={names} value={agent} onChange={setAgent} allowDeselect={false} />
        <Button type="submit" loading={isBusy} disabled={agent === null}>
          Send
        </Button>
      </div>
    </form>
  );
}
