import { memberNameOf, type OutboxEvent } from '../../shared/index.ts';

/** The notification primitive's content (m2m:notification, TS-0004 clause 7.5.1.2) for an event. */
export function composeNotification(event: OutboxEvent, cseId: string): unknown {
  const sur = `${cseId}/${event.sur}`;
  if (event.sud === true) return { 'm2m:sgn': { sud: true, sur } };
  const rep =
    event.nct === 3 ? { 'm2m:uri': event.rep?.['uri'] } : { [memberNameOf(event.ty ?? 0)]: event.rep };
  return { 'm2m:sgn': { nev: { rep, net: event.net }, sur } };
}

/** Asks a target whether it wants the subscription that somebody else creates. */
export function composeVerification(sur: string, creator: string, cseId: string): unknown {
  return { 'm2m:sgn': { vrq: true, sur: `${cseId}/${sur}`, cr: creator } };
}
