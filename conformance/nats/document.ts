/** Mco over NATS as mco.asyncapi.yaml has it: which subject carries which operation, and what is wrong with a message. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ValidateFunction } from 'ajv/dist/2020.js';
import { parse } from 'yaml';
import { IotmanoError } from '../../kernel/index.ts';
import { SCHEMA_BASE, loadSchemas } from '../mco-document.ts';

const DOCUMENT = join(import.meta.dirname, '../../api-specs/mco/mco.asyncapi.yaml');
const SHOWN_FAULTS = 3;

export const MEASUREMENTS_STREAM = 'MCO_MEASUREMENTS';
/** Of queue groups and of the durable consumer. */
export const ORCHESTRATOR_GROUP = 'mco-orchestrator';
/** Of a file, in one answer. */
export const MAX_RANGE_BYTES = 512 * 1024;

/** By the names that they have on the wire. */
export type NatsHeaders = Readonly<Record<string, string>>;

interface Shape {
  readonly headers: ValidateFunction;
  readonly payload: ValidateFunction;
}

export interface NatsOperation {
  readonly operationId: string;
  /** Last token of its subject. */
  readonly name: string;
  readonly message: Shape;
  readonly replies: readonly Shape[];
}

interface Reference {
  readonly $ref: string;
}

interface Document {
  readonly channels: Readonly<
    Record<string, { readonly address: string; readonly messages: Readonly<Record<string, Reference>> }>
  >;
  readonly operations: Readonly<
    Record<
      string,
      {
        readonly action: string;
        readonly channel: Reference;
        readonly messages: readonly Reference[];
        readonly reply?: { readonly messages: readonly Reference[] };
      }
    >
  >;
  readonly components: {
    readonly schemas: Readonly<Record<string, { readonly schema: object }>>;
    readonly messages: Readonly<
      Record<string, { readonly headers: Reference; readonly payload: { readonly schema: object } }>
    >;
  };
}

/** Checks of all messages take a while to be made, and have no state. */
let known: ReadonlyMap<string, NatsOperation> | undefined;

/** By operationId: those that an agent sends, and those that it receives by themselves. */
export function natsOperations(): ReadonlyMap<string, NatsOperation> {
  known ??= readOperations();
  return known;
}

/** @throws IotmanoError `internal` */
export function natsOperation(operationId: string): NatsOperation {
  const operation = natsOperations().get(operationId);
  if (operation === undefined)
    throw new IotmanoError('internal', `Mco over NATS has no operation ${operationId}`);
  return operation;
}

function readOperations(): ReadonlyMap<string, NatsOperation> {
  const ajv = loadSchemas();
  const document = parse(readFileSync(DOCUMENT, 'utf8').replaceAll('../schemas/', SCHEMA_BASE)) as Document;
  const shapes = new Map<string, Shape>();
  const shapeOf = ({ $ref }: Reference): Shape => {
    const [, , channel = '', , local = ''] = $ref.split('/');
    const name = lastOf(document.channels[channel]?.messages[local]?.$ref ?? '');
    const found = shapes.get(name);
    if (found !== undefined) return found;
    const message = document.components.messages[name];
    const headers = document.components.schemas[lastOf(message?.headers.$ref ?? '')];
    const shape: Shape = {
      headers: ajv.compile(headers?.schema ?? {}),
      payload: ajv.compile(message?.payload.schema ?? {}),
    };
    shapes.set(name, shape);
    return shape;
  };
  const entries = Object.entries(document.operations).map(([operationId, operation]) => {
    const [first] = operation.messages;
    const address = document.channels[lastOf(operation.channel.$ref)]?.address ?? '';
    return [
      operationId,
      {
        operationId,
        name: address.replace('mco.v1.{hostId}.', ''),
        message: shapeOf(first ?? { $ref: '' }),
        replies: (operation.reply?.messages ?? []).map(shapeOf),
      },
    ] as const;
  });
  return new Map(entries);
}

function lastOf(reference: string): string {
  return reference.split('/').at(-1) ?? '';
}

/** What is wrong with a message of an operation by the document; `null` as payload where there is none. */
export function natsFaults(operationId: string, headers: NatsHeaders, payload: unknown): string[] {
  return shapeFaults(natsOperation(operationId).message, headers, payload);
}

/** What is wrong with an answer by the document: it has to be one of those that the operation has. */
export function natsReplyFaults(operationId: string, headers: NatsHeaders, payload: unknown): string[] {
  const all = natsOperation(operationId).replies.map((shape) => shapeFaults(shape, headers, payload));
  const fewest = all.toSorted((one, other) => one.length - other.length)[0] ?? [];
  return all.some((faults) => faults.length === 0) ? [] : fewest;
}

function shapeFaults(
  { headers: check, payload: checkPayload }: Shape,
  headers: NatsHeaders,
  payload: unknown,
): string[] {
  const faults: string[] = [];
  if (!check(headers)) faults.push(`headers: ${JSON.stringify(check.errors?.slice(0, SHOWN_FAULTS))}`);
  if (!checkPayload(payload))
    faults.push(`payload: ${JSON.stringify(checkPayload.errors?.slice(0, SHOWN_FAULTS))}`);
  return faults;
}

export function subjectOf(hostId: string, name: string): string {
  return `mco.v1.${hostId}.${name}`;
}
