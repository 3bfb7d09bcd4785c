import { useQuery } from '@tanstack/react-query';
import { useCarrel } from '../carrel.js';
import { Question } from '../parts/question.js';
import { Empty, Loaded, PageTitle } from '../parts/states.js';

export function ApprovalsPage() {
  const { client } = useCarrel();
  const open = useQuery({
    queryKey: ['approvals', 'open'],
    queryFn: ({ signal }) => client.approvals.list({ limit: 100, signal }),
  });
  return (
    <>
      <PageTitle title="Approvals" />
      <Loaded query={open}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty title="Nobody asks you anything">Runs that wait for your word are shown here.</Empty>
          ) : (
            <div className="stack" style={{ maxWidth: '46rem' }}>
              {items.map((approval) => (
                <Question key={approval.id} approval={approval} />
              ))}
            </div>
          )
        }
      </Loaded>
    </>
  );
}
