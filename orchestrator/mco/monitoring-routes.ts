import { parseId, type HostId } from '../../kernel/index.ts';
import { bodyOf, type ApiResponse, type Route } from '../api/route.ts';
import { readEnvelope, withEnvelope } from './envelope.ts';
import { requireRole, sessionRoute, type McoContext, type McoRequest } from './mco-context.ts';
import type { AlarmBatchMessage, MeasurementBatchMessage } from './messages.ts';

/** 10,000 points with labels, uncompressed. */
const MAX_MEASUREMENT_BYTES = 16 * 1024 * 1024;

const MEASUREMENTS = {
  method: 'POST',
  path: '/mco/v1/hosts/{hostId}/measurements',
  body: 'json',
  maxBodyBytes: MAX_MEASUREMENT_BYTES,
} as const;

/** Mco-m: what the monitoring agent measures. */
export function measurementsRoute(context: McoContext): Route {
  return sessionRoute(context, MEASUREMENTS, ['monitoring'], (request) => take(context, request));
}

/**
 * The same for measurements that a stream has kept: its session may have ended long ago, so that the roles of the enrolment say whether the host may
 * deliver them. Whoever brings them has to know that they are of that host.
 */
export function storedMeasurementsRoute(context: McoContext): Route {
  return {
    ...MEASUREMENTS,
    access: 'host',
    handle: async (request) => {
      const envelope = readEnvelope(request, context.m2mSpId, context.clock.now());
      const hostId = parseId<HostId>(request.params['hostId'], 'hostId');
      requireRole(context.inventory.requireHost(hostId).document.roles, ['monitoring']);
      return withEnvelope(take(context, { request, hostId, envelope }), context.m2mSpId);
    },
  };
}

function take({ monitoring }: McoContext, { request, hostId, envelope }: McoRequest): ApiResponse {
  const batch = bodyOf<MeasurementBatchMessage>(request);
  return { status: 200, body: monitoring.ingestMeasurements(hostId, envelope, batch) };
}

/** Mco-m: conditions that the monitoring agent has seen. */
export function alarmsRoute(context: McoContext): Route {
  return sessionRoute(
    context,
    { method: 'POST', path: '/mco/v1/hosts/{hostId}/alarms', body: 'json' },
    ['monitoring'],
    ({ request, hostId, envelope }) => {
      const batch = bodyOf<AlarmBatchMessage>(request);
      return { status: 200, body: context.monitoring.ingestAlarms(hostId, envelope, batch) };
    },
  );
}
