import { CarrelClient } from 'carrel/client';

/** Who is signed in here: of this tab alone, so that several users in several tabs stay apart. */
export interface Session {
  readonly token: string;
  readonly userId: string;
  readonly roles: readonly string[];
}

const KEY = 'carrel.session';
/** Where the API is: the console may be behind a proxy, in a folder. */
const SERVER = new URL('..', location.href.split('#')[0]).href.replace(/\/$/, '');

export function clientOf(token: string): CarrelClient {
  return new CarrelClient({ url: SERVER, token: () => token });
}

export function keptSession(): Session | undefined {
  const text = sessionStorage.getItem(KEY);
  return text === null ? undefined : (JSON.parse(text) as Session);
}

export function keepSession(session: Session | undefined): void {
  if (session) sessionStorage.setItem(KEY, JSON.stringify(session));
  else sessionStorage.removeItem(KEY);
}

const CODE = /^#code=(.+)$/;

export function isCode(): boolean {
  return CODE.test(location.hash);
}

/** The code of a link that signs in, which is taken out of the address at once. */
export function takeCode(): string | undefined {
  const code = CODE.exec(location.hash)?.[1];
  if (code !== undefined) history.replaceState(null, '', `${location.pathname}#/`);
  return code;
}

/** @throws Error with the server's words */
export async function sessionByCode(code: string): Promise<Session> {
  const response = await fetch(`${SERVER}/console/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ code }),
  });
  const answer = (await response.json()) as Session & { detail?: string };
  if (!response.ok) throw new Error(answer.detail ?? `the server answered with ${response.status}`);
  return answer;
}

/** @throws CarrelClientError when the server does not take the token */
export async function sessionByToken(token: string): Promise<Session> {
  const { userId, roles } = await clientOf(token).me.find();
  return { token, userId, roles };
}
