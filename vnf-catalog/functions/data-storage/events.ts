import { RESOURCE_TYPE, type OutboxEvent, type ResourceAttributes } from '../../shared/index.ts';
import type { ResourceRow } from './resource-table.ts';

/** Notification event types (m2m:notificationEventType) that this CSE knows. */
export const EVENT = { update: 1, delete: 2, createChild: 3, deleteChild: 4 } as const;

export interface ResourceEvent {
  readonly net: number;
  /** Type of the resource that the representation is of. */
  readonly ty: number;
  readonly resource: ResourceAttributes;
  /** With an update: the attributes that were modified. */
  readonly modified?: ResourceAttributes;
}

interface SubscriptionContent {
  readonly nu?: readonly string[];
  readonly nct?: number;
  readonly su?: string;
  readonly cr?: string;
  readonly enc?: {
    readonly net?: readonly number[];
    readonly chty?: readonly number[];
    readonly atr?: readonly string[];
  };
}

/** What the subscription's targets are to be told of the event: one entry for each target, none where the criteria do not match. */
export function computeEvents(subscription: ResourceRow, event: ResourceEvent): readonly OutboxEvent[] {
  const content = JSON.parse(subscription.attributes) as SubscriptionContent;
  if (!matches(content, event)) return [];
  const nct = content.nct ?? 1;
  const shown = nct === 2 && event.modified !== undefined ? event.modified : event.resource;
  const rep = nct === 3 ? { uri: event.resource['ri'] } : shown;
  return (content.nu ?? []).map((target) => ({
    ...describe(subscription, content, target),
    net: event.net,
    nct,
    ty: event.ty,
    rep,
  }));
}

/** The notice that a subscription is gone, to its subscriber URI where it has one. */
export function computeDeletionNotice(subscription: ResourceRow): readonly OutboxEvent[] {
  const content = JSON.parse(subscription.attributes) as SubscriptionContent;
  if (content.su === undefined) return [];
  return [{ ...describe(subscription, content, content.su), sud: true }];
}

function matches(content: SubscriptionContent, event: ResourceEvent): boolean {
  if (!(content.enc?.net ?? [EVENT.update]).includes(event.net)) return false;
  const { chty, atr } = content.enc ?? {};
  const isOfChild = event.net === EVENT.createChild || event.net === EVENT.deleteChild;
  if (isOfChild && event.ty === RESOURCE_TYPE.subscription) return false;
  if (isOfChild && chty !== undefined && !chty.includes(event.ty)) return false;
  if (event.net === EVENT.update && atr !== undefined)
    return atr.some((name) => name in (event.modified ?? {}));
  return true;
}

function describe(
  subscription: ResourceRow,
  content: SubscriptionContent,
  target: string,
): Pick<OutboxEvent, 'sub' | 'sur' | 'target' | 'cr'> {
  return { sub: subscription.ri, sur: subscription.path, target, cr: content.cr ?? subscription.org };
}
