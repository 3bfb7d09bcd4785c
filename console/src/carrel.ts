import type { CarrelClient, ClientStatus } from 'carrel/client';
import { createContext, useContext, useSyncExternalStore } from 'react';
import type { Session } from './session.js';

/** What every page has: who is signed in, and the server as that user sees it. */
export class Carrel {
  constructor(
    readonly session: Session,
    readonly client: CarrelClient,
    readonly signOut: (why?: string) => void,
  ) {}

  get isOperator(): boolean {
    return this.session.roles.includes('carrel:operator');
  }
}

export const CarrelContext = createContext<Carrel | undefined>(undefined);

export function useCarrel(): Carrel {
  const carrel = useContext(CarrelContext);
  if (!carrel) throw new Error('nobody is signed in');
  return carrel;
}

export function useStatus(): ClientStatus {
  const { client } = useCarrel();
  return useSyncExternalStore(
    (changed) => client.onStatus(changed),
    () => client.status,
  );
}
