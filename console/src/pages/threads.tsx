import { useQuery } from '@tanstack/react-query';
import { Link } from 'react-router';
import { useCarrel } from '../carrel.js';
import { Rows } from '../parts/rows.js';
import { Moment } from '../parts/shown.js';
import { Empty, Loaded, PageTitle } from '../parts/states.js';

export function ThreadsPage() {
  const { client } = useCarrel();
  const threads = useQuery({
    queryKey: ['threads'],
    queryFn: ({ signal }) => client.threads.list({ limit: 100, signal }),
  });
  return (
    <>
      <PageTitle title="Threads">
        <span className="grow" />
        <Link to={`/threads/chat-${Date.now().toString(36)}`}>New conversation</Link>
      </PageTitle>
      <Loaded query={threads}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty title="No conversations yet">Every run is in a thread; a new one opens the first.</Empty>
          ) : (
            <div className="card">
              <Rows>
                {items.map((thread) => (
                  <tr key={thread.id}>
                    <td className="prose">
                      <Link to={`/threads/${encodeURIComponent(thread.id)}`}>{thread.title ?? thread.id}</Link>
                    </td>
                    <td className="quiet hide-narrow">
                      <Moment at={thread.createdAt} />
                    </td>
                  </tr>
                ))}
              </Rows>
            </div>
          )
        }
      </Loaded>
    </>
  );
}
