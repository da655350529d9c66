import type { HostDocument } from '../domain/index.ts';
import type { StateStore } from '../store/index.ts';

/** Where a host has lost its trust, nothing more goes over the connections that it has opened: from the moment on when that is durable. */
export function disconnectRevoked(store: StateStore, disconnect: (hostId: string) => void): void {
  store.subscribe(({ entries }) => {
    for (const { kind, id, record } of entries) {
      if (kind !== 'host') continue;
      const document = record?.document as HostDocument | undefined;
      if (document?.revokedAt !== undefined) disconnect(id);
    }
  });
}
