import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { useEffect, useMemo, useState } from 'react';
import { createHashRouter, RouterProvider } from 'react-router';
import { Carrel, CarrelContext } from './carrel.js';
import { Layout } from './layout.js';
import { clientOf, isCode, keepSession, keptSession, sessionByCode, takeCode, type Session } from './session.js';
import { SignIn } from './sign-in.js';

// before the router looks at the address
let linkCode = takeCode();
// a link that is opened in a tab that is here already changes nothing but what stands behind the #
addEventListener('hashchange', () => isCode() && location.reload());

const router = createHashRouter([
  {
    Component: Layout,
    children: [
      { index: true, lazy: async () => ({ Component: (await import('./pages/agents.js')).AgentsPage }) },
      { path: 'pipelines', lazy: async () => ({ Component: (await import('./pages/pipelines.js')).PipelinesPage }) },
      { path: 'runs', lazy: async () => ({ Component: (await import('./pages/runs.js')).RunsPage }) },
      { path: 'runs/:id', lazy: async () => ({ Component: (await import('./pages/run.js')).RunPage }) },
      { path: 'approvals', lazy: async () => ({ Component: (await import('./pages/approvals.js')).ApprovalsPage }) },
      { path: 'threads', lazy: async () => ({ Component: (await import('./pages/threads.js')).ThreadsPage }) },
      { path: 'threads/:id', lazy: async () => ({ Component: (await import('./pages/thread.js')).ThreadPage }) },
      { path: 'queue', lazy: async () => ({ Component: (await import('./pages/queue.js')).QueuePage }) },
      { path: 'schedules', lazy: async () => ({ Component: (await import('./pages/schedules.js')).SchedulesPage }) },
      { path: 'tools', lazy: async () => ({ Component: (await import('./pages/tools.js')).ToolsPage }) },
      { path: 'usage', lazy: async () => ({ Component: (await import('./pages/usage.js')).UsagePage }) },
      { path: 'operator', lazy: async () => ({ Component: (await import('./pages/operator.js')).OperatorPage }) },
      {
        path: 'operator/users/:userId',
        lazy: async () => ({ Component: (await import('./pages/user-runs.js')).UserRunsPage }),
      },
      {
        path: 'operator/users/:userId/runs/:id',
        lazy: async () => ({ Component: (await import('./pages/user-run.js')).UserRunPage }),
      },
      { path: '*', lazy: async () => ({ Component: (await import('./pages/not-found.js')).NotFoundPage }) },
    ],
  },
]);

export function App() {
  const [session, setSession] = useState(keptSession);
  const [problem, setProblem] = useState<string>();
  useEffect(() => {
    if (linkCode === undefined) return;
    const once = linkCode;
    linkCode = undefined;
    sessionByCode(once).then(signIn, (error: unknown) => setProblem((error as Error).message));
  }, []);

  function signIn(next: Session): void {
    keepSession(next);
    setSession(next);
    setProblem(undefined);
  }
  function signOut(why?: string): void {
    keepSession(undefined);
    setSession(undefined);
    setProblem(why);
  }

  if (!session) return <SignIn problem={problem} onSignIn={signIn} />;
  return <SignedIn key={session.token} session={session} onSignOut={signOut} />;
}

/** Everything of one user: another one gets another client and another cache. */
function SignedIn({ session, onSignOut }: { session: Session; onSignOut: (why?: string) => void }) {
  const carrel = useMemo(() => new Carrel(session, clientOf(session.token), onSignOut), [session]);
  const queries = useMemo(
    () => new QueryClient({ defaultOptions: { queries: { staleTime: 5_000, retry: 1, refetchOnWindowFocus: false } } }),
    [session],
  );
  return (
    <QueryClientProvider client={queries}>
      <CarrelContext value={carrel}>
        <RouterProvider router={router} />
      </CarrelContext>
    </QueryClientProvider>
  );
}
