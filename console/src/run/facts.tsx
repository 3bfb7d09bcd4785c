import type { RunView } from 'carrel/client';
import { memo, type ReactNode } from 'react';
import { Link } from 'react-router';
import { Prose } from '../markdown/prose.js';
import { asValues } from '../parts/schema-values.js';
import { Moment, tookText, Value } from '../parts/shown.js';

/** What a run's record says: how it ended, and what with. */
export const Facts = memo(function Facts({ run, isForeign }: { run: RunView; isForeign: boolean }) {
  return (
    <>
      {run.error && (
        <section className="card stack">
          <strong className="status" data-tone="bad">
            {run.error.code}
          </strong>
          <div>{run.error.message}</div>
          <div className="quiet small">Support code {run.error.supportCode}</div>
        </section>
      )}
      {run.result !== undefined && (
        <section className="card stack" aria-label="Result">
          <strong>Result</strong>
          <Result value={run.result} />
        </section>
      )}
      <section className="card stack">
        <strong>Input</strong>
        <Value value={run.input} />
      </section>
      <section className="card small">
        <table className="rows">
          <tbody>
            <Fact name="Thread">
              {isForeign ? (
                run.threadId
              ) : (
                <Link to={`/threads/${encodeURIComponent(run.threadId)}`}>{run.threadId}</Link>
              )}
            </Fact>
            <Fact name="Created">
              <Moment at={run.createdAt} />
            </Fact>
            <Fact name="Took">{tookText(run)}</Fact>
            <Fact name="Attempt">{run.attempt}</Fact>
            {run.usage && (
              <Fact name="Used">
                {Object.entries(run.usage)
                  .map(([name, amount]) => `${name} ${String(amount)}`)
                  .join(', ')}
              </Fact>
            )}
            {run.retryOf && (
              <Fact name="Tries again">
                {isForeign ? run.retryOf : <Link to={`/runs/${run.retryOf}`}>{run.retryOf}</Link>}
              </Fact>
            )}
          </tbody>
        </table>
      </section>
    </>
  );
});

/** Where the agents that are shipped, and most others, put what is to be read. */
const TEXTS = ['text', 'report', 'summary'];

function Result({ value }: { value: unknown }) {
  if (typeof value === 'string') return <Prose text={value} />;
  // a pipeline's has what it gives in `output`
  const fields = [asValues(value), asValues(asValues(value).output)];
  const text = fields.flatMap((all) => TEXTS.map((name) => all[name])).find((one) => typeof one === 'string');
  return (
    <>
      {text !== undefined && <Prose text={text} />}
      <Value value={value} />
    </>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <tr>
      <th scope="row">{name}</th>
      <td>{children}</td>
    </tr>
  );
}
