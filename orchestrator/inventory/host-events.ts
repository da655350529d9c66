import { transition, type HostId } from '../../kernel/index.ts';
import { absenceAfter, HOST, type HostDocument, type HostEvent } from '../domain/index.ts';

/**
 * The host after the event. A host that comes back while it is to become empty is DRAINING again.
 * @param now milliseconds since the epoch: how long it is away is remembered
 * @throws IotmanoError `illegal-transition`
 */
export function applyHostEvent(
  host: HostDocument,
  event: HostEvent,
  hostId: HostId,
  now: number,
): HostDocument {
  const next = transition(HOST, host.state, event, `host ${hostId}`);
  const state = next === 'READY' && host.draining ? HOST.READY.drain : next;
  const absence = absenceAfter(host, state, now);
  return { ...host, state, disputed: state === 'DISPUTED', ...(absence === undefined ? {} : { absence }) };
}

/** The host with the wish to empty it set or taken back; where it is silent or disputed, only the wish changes. */
export function setDraining(
  host: HostDocument,
  draining: boolean,
  hostId: HostId,
  now: number,
): HostDocument {
  const wished = { ...host, draining };
  if (draining && host.state === 'READY') return applyHostEvent(wished, 'drain', hostId, now);
  if (!draining && host.state === 'DRAINING') return applyHostEvent(wished, 'undrain', hostId, now);
  return wished;
}
