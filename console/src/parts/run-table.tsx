import type { RunView } from 'carrel/client';
import { Link } from 'react-router';
import { durationText, Moment, shortId, Status } from './shown.js';

export function RunTable({ runs }: { runs: readonly RunView[] }) {
  return (
    <div className="card table-box">
      <table className="rows">
        <thead>
          <tr>
            <th scope="col">Run</th>
            <th scope="col">Status</th>
            <th scope="col" className="hide-narrow">
              Created
            </th>
            <th scope="col">Took</th>
          </tr>
        </thead>
        <tbody>
          {runs.map((run) => (
            <tr key={run.id}>
              <td>
                <Link to={`/runs/${run.id}`}>{run.agent ?? run.pipeline}</Link>{' '}
                <span className="quiet mono">{shortId(run.id)}</span>
              </td>
              <td>
                <Status status={run.status} />
              </td>
              <td className="hide-narrow">
                <Moment at={run.createdAt} />
              </td>
              <td>
                {run.startedAt && run.endedAt ? durationText(Date.parse(run.endedAt) - Date.parse(run.startedAt)) : '–'}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
