import { IotmanoError, type HostId } from '../../kernel/index.ts';
import { bodyOf, type ApiResponse, type Route } from '../api/route.ts';
import { sessionRoute, type McoContext, type SessionRequest } from './mco-context.ts';
import { takeReport, type HostReport } from '../inventory/index.ts';
import type { HostFactsMessage, ReceiptMessage } from './messages.ts';

/** A report of a large host: thousands of instances. */
const MAX_REPORT_BYTES = 8 * 1024 * 1024;

/** What a host says of itself: facts, and what it observes. */
export function reportRoutes(context: McoContext): readonly Route[] {
  return [
    sessionRoute(
      context,
      { method: 'PUT', path: '/mco/v1/hosts/{hostId}/facts', body: 'json' },
      ['orchestration'],
      (request) => putFacts(context, request),
    ),
    sessionRoute(
      context,
      {
        method: 'POST',
        path: '/mco/v1/hosts/{hostId}/reports',
        body: 'json',
        maxBodyBytes: MAX_REPORT_BYTES,
      },
      ['orchestration'],
      (request) => postReport(context, request),
    ),
  ];
}

function putFacts({ inventory }: McoContext, { request, hostId, envelope }: SessionRequest): ApiResponse {
  const { bootId, sequence } = envelope;
  inventory.putFacts(hostId, { bootId, sequence, facts: bodyOf<HostFactsMessage>(request) });
  return receipt(sequence + 1, 0);
}

function postReport(
  { store, clock, sequences }: McoContext,
  { request, hostId, envelope }: SessionRequest,
): ApiResponse {
  const { sequence } = envelope;
  const report = bodyOf<HostReport>(request);
  const position = sequences.judge(hostId, envelope);
  if (position.type === 'duplicate') return receipt(position.expected, 0);
  if (position.type === 'gap') throw gap(hostId, sequence, position.expected);
  if (position.type !== 'next' && !report.full) throw needsFull(hostId, sequence);
  const ignored = takeReport(store, clock, hostId, report);
  sequences.accept(hostId, envelope);
  return receipt(sequence + 1, ignored);
}

export function receipt(nextSequence: number, ignored: number): ApiResponse {
  const message: ReceiptMessage = { nextSequence, ignored };
  return { status: 200, body: message };
}

function gap(hostId: HostId, sequence: number, expectedSequence: number): IotmanoError {
  return new IotmanoError(
    'conflict',
    `report ${sequence} of host ${hostId} came where ${expectedSequence} was expected; send again from ${expectedSequence} on`,
    { expectedSequence, fullRequired: false },
  );
}

function needsFull(hostId: HostId, sequence: number): IotmanoError {
  return new IotmanoError(
    'conflict',
    `report ${sequence} of host ${hostId} is the first that is seen here of this boot; send a full report under this number`,
    { expectedSequence: sequence, fullRequired: true },
  );
}
