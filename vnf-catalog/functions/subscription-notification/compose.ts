import {
  memberNameOf,
  RSC,
  type NotifyReply,
  type OutboxEvent,
  type VerifyReply,
} from '../../shared/index.ts';
import { isAccepted } from './sender.ts';

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

/** What a target's answer to a verification means for the creation of the subscription. */
export function verdictOf(target: string, reply: NotifyReply): VerifyReply {
  if (isAccepted(reply)) return { rsc: RSC.ok };
  if (reply.rsc === RSC.subscriptionCreatorHasNoPrivilege || reply.rsc === RSC.subscriptionHostHasNoPrivilege)
    return { rsc: reply.rsc, debug: `"${target}" refused the subscription` };
  const why = reply.problem ?? `status ${reply.rsc ?? reply.status}`;
  const debug = `"${target}" did not confirm the subscription: ${why}`;
  return { rsc: RSC.subscriptionVerificationInitiationFailed, debug };
}
