import { DEFAULT_TENANT, IotmanoError, type HostId } from '../../../kernel/index.ts';
import type { SessionDocument } from '../../domain/index.ts';
import type { StateStore, StateView, Write } from '../contract.ts';

/** A document that carries a number. */
export function session(value: number): SessionDocument {
  return { hostId: 'host-1' as HostId, bootId: `boot-${value}`, expiresAt: '2030-01-01T00:00:00.000Z' };
}

export function put(id: string, value: number): Write {
  return { op: 'put', kind: 'session', id, tenant: DEFAULT_TENANT, document: session(value) };
}

export function create(id: string, value: number): Write {
  return { op: 'create', kind: 'session', id, tenant: DEFAULT_TENANT, document: session(value) };
}

export function documentAt(store: StateView, id: string): SessionDocument | undefined {
  return store.get('session', id)?.document;
}

export function idsOf(store: StateView, prefix = ''): string[] {
  return [...store.listByPrefix('session', prefix)].map((record) => record.id);
}

/** One commit for each list of writes, durable when it returns. */
export async function commitAll(store: StateStore, commits: readonly (readonly Write[])[]): Promise<void> {
  for (const writes of commits) store.commit(writes);
  await store.whenDurable();
}

/** The code of the error that the action throws. */
export function errorCode(action: () => unknown): string | undefined {
  try {
    action();
    return undefined;
  } catch (error) {
    if (error instanceof IotmanoError) return error.code;
    throw error;
  }
}
