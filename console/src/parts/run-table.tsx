import type { RunView } from 'carrel/client';
import { Link } from 'react-router';
import { Rows } from './rows.js';
import { Moment, shortId, Status, tookText } from './shown.js';

export function RunTable({ runs }: { runs: readonly RunView[] }) {
  return (
    <div className="card">
      <Rows columns={['Run', 'Status', { title: 'Created', hideNarrow: true }, 'Took']}>
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
            <td className="nowrap">{tookText(run)}</td>
          </tr>
        ))}
      </Rows>
    </div>
  );
}
