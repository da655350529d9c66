import type { NatsConnection } from '@nats-io/transport-node';
import type { Clock } from '../../kernel/index.ts';
import type { NatsHeaders } from '../nats/document.ts';
import type { KitKeys } from '../nats/users.ts';
import { KIT_SP_ID } from './http-orchestrator-wire.ts';
import type { Handler } from './orchestrator-wire.ts';

/** Of every message that the kit sends. */
export const ENVELOPE: NatsHeaders = { 'Mco-Version': '1.0', 'Mco-Sp-Id': KIT_SP_ID };

/** What answers and measurements have in common. */
export interface NatsContext {
  readonly connection: NatsConnection;
  readonly keys: KitKeys;
  readonly clock: Clock;
  readonly handler: Handler;
  /** nextSequence of the newest receipt, by boot. */
  readonly receipts: Map<string, number>;
  isThere(): boolean;
}
