import { bodyOf, type Route } from '../api/route.ts';
import { sessionRoute, type McoContext } from './mco-context.ts';
import type { AlarmBatchMessage, MeasurementBatchMessage } from './messages.ts';

/** 10,000 points with labels, uncompressed. */
const MAX_MEASUREMENT_BYTES = 16 * 1024 * 1024;

/** Mco-m: what the monitoring agent delivers. */
export function monitoringRoutes(context: McoContext): readonly Route[] {
  const { monitoring } = context;
  return [
    sessionRoute(
      context,
      {
        method: 'POST',
        path: '/mco/v1/hosts/{hostId}/measurements',
        body: 'json',
        maxBodyBytes: MAX_MEASUREMENT_BYTES,
      },
      ['monitoring'],
      ({ request, hostId, envelope }) => {
        const batch = bodyOf<MeasurementBatchMessage>(request);
        return { status: 200, body: monitoring.ingestMeasurements(hostId, envelope, batch) };
      },
    ),
    sessionRoute(
      context,
      { method: 'POST', path: '/mco/v1/hosts/{hostId}/alarms', body: 'json' },
      ['monitoring'],
      ({ request, hostId, envelope }) => {
        const batch = bodyOf<AlarmBatchMessage>(request);
        return { status: 200, body: monitoring.ingestAlarms(hostId, envelope, batch) };
      },
    ),
  ];
}
