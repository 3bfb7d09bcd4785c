import { ActionIcon, Button, useComputedColorScheme, useMantineColorScheme } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Suspense, useEffect, useRef, type RefObject } from 'react';
import { Link, NavLink, Outlet, useLocation } from 'react-router';
import { useCarrel, useStatus } from './carrel.js';
import { Loading } from './parts/states.js';

const PAGES = [
  ['/', 'Agents'],
  ['/pipelines', 'Pipelines'],
  ['/runs', 'Runs'],
  ['/approvals', 'Approvals'],
  ['/threads', 'Threads'],
  ['/queue', 'Queue and limits'],
  ['/schedules', 'Schedules'],
  ['/tools', 'Tools'],
  ['/usage', 'Usage'],
] as const;

export function Layout() {
  const { session, signOut, isOperator } = useCarrel();
  useFreshLists();
  const { client } = useCarrel();
  const open = useQuery({
    queryKey: ['approvals', 'open'],
    queryFn: ({ signal }) => client.approvals.list({ limit: 100, signal }),
  });
  const nav = useRef<HTMLElement>(null);
  useOpenPageInSight(nav);
  const asked = open.data?.items.length ?? 0;
  return (
    <div className="shell">
      <a className="skip" href="#main" onClick={focusMain}>
        To the content
      </a>
      <header>
        <NavLink to="/" className="brand">
          <img src="./icon.svg" alt="Carrel" width="24" height="24" />{' '}
          <span className="hide-narrow" aria-hidden="true">
            Carrel
          </span>
        </NavLink>
        <Connection />
        <span className="grow" />
        {asked > 0 && (
          <Link to="/approvals" className="count only-narrow" aria-label={`${asked} open approvals`}>
            {asked}
          </Link>
        )}
        <span className="small">{session.userId}</span>
        <SchemeSwitch />
        <Button size="compact-sm" variant="default" onClick={() => signOut()}>
          Sign out
        </Button>
      </header>
      <nav ref={nav} aria-label="Pages">
        {PAGES.map(([to, title]) => (
          <NavLink key={to} to={to} end={to === '/'}>
            {title}
            {to === '/approvals' && asked > 0 && (
              <span className="count" aria-label={`${asked} open`}>
                {asked}
              </span>
            )}
          </NavLink>
        ))}
        {isOperator && <NavLink to="/operator">Operator</NavLink>}
      </nav>
      <main id="main" tabIndex={-1}>
        <Suspense fallback={<Loading />}>
          <Outlet />
        </Suspense>
      </main>
    </div>
  );
}

/** Where the pages stand in one row, the one that is open is in sight. */
function useOpenPageInSight(nav: RefObject<HTMLElement | null>): void {
  const { pathname } = useLocation();
  useEffect(() => {
    const open = nav.current?.querySelector<HTMLElement>('[aria-current="page"]');
    if (open) nav.current!.scrollLeft = open.offsetLeft - (nav.current!.clientWidth - open.offsetWidth) / 2;
  }, [pathname]);
}

function focusMain(event: { preventDefault(): void }): void {
  event.preventDefault();
  document.getElementById('main')?.focus();
}

function Connection() {
  const status = useStatus();
  const shown = {
    online: { tone: 'ok', text: '● Live' },
    catching_up: { tone: 'warn', text: `◐ Catching up${'behind' in status ? `, ${status.behind} behind` : ''}` },
    offline: { tone: 'bad', text: '○ Offline' },
  }[status.state];
  return (
    <span className="status" data-tone={shown.tone} role="status">
      {shown.text}
    </span>
  );
}

function SchemeSwitch() {
  const { setColorScheme } = useMantineColorScheme();
  const isDark = useComputedColorScheme('light') === 'dark';
  return (
    <ActionIcon
      variant="default"
      aria-label={isDark ? 'Light colours' : 'Dark colours'}
      onClick={() => setColorScheme(isDark ? 'light' : 'dark')}
    >
      {isDark ? '☀' : '☾'}
    </ActionIcon>
  );
}

/** Lists follow the user's events, but no faster than they can be read. */
const REFRESH_MS = 700;

function useFreshLists(): void {
  const { client, signOut } = useCarrel();
  const queries = useQueryClient();
  useEffect(() => {
    const leaving = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const refresh = () => {
      timer = undefined;
      for (const key of ['runs', 'approvals', 'queue', 'threads']) void queries.invalidateQueries({ queryKey: [key] });
    };
    const follow = async () => {
      for await (const { type } of client.events({ signal: leaving.signal })) {
        if (type !== 'agent_message_delta' && type !== 'agent_thinking') timer ??= setTimeout(refresh, REFRESH_MS);
      }
    };
    follow().catch((error: unknown) => {
      if (!leaving.signal.aborted) signOut((error as Error).message);
    });
    return () => {
      leaving.abort();
      clearTimeout(timer);
    };
  }, [client, queries, signOut]);
}
