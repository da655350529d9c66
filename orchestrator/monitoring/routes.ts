import { IotmanoError, parseId, toTimestamp, type VnfInstanceId } from '../../kernel/index.ts';
import type { Caller } from '../domain/index.ts';
import { READERS, type ApiRequest, type ApiResponse, type Route } from '../api/route.ts';
import { listResponse } from '../api/sol013/index.ts';
import type { StateView, StoredRecord } from '../store/index.ts';
import { presentAlarm } from './alarms.ts';
import type { Monitoring } from './create-monitoring.ts';
import { parseMeasurementQuery } from './query-measurements.ts';
import { maySeeAlarm } from './visibility.ts';

/** The read side of monitoring: measurements, indicators and alarms. */
export function monitoringRoutes(monitoring: Monitoring, state: StateView): readonly Route[] {
  const read = (path: string, handle: (request: ApiRequest) => ApiResponse): Route => ({
    method: 'GET',
    path,
    access: READERS,
    body: 'none',
    handle: async (request) => handle(request),
  });
  return [
    read('/iotmano/v1/measurements', ({ query, caller }) => ({
      status: 200,
      body: monitoring.queryMeasurements(caller.tenant, parseMeasurementQuery(query)),
    })),
    read('/iotmano/v1/vnf_instances/{vnfInstanceId}/indicators', ({ params, caller }) => {
      const id = parseId<VnfInstanceId>(params['vnfInstanceId'], 'vnfInstanceId');
      if (state.get('vnf-instance', id)?.tenant !== caller.tenant) throw notFound('VNF instance', id);
      return {
        status: 200,
        body: monitoring.indicatorsOf(id).map(({ at, unit, ...rest }) => ({
          ...rest,
          vduId: unit,
          timestamp: toTimestamp(at),
        })),
      };
    }),
    read('/iotmano/v1/alarms', (request) =>
      listResponse(request, visibleAlarms(state, request.caller), presentAlarm),
    ),
    read('/iotmano/v1/alarms/{alarmId}', ({ params, caller }) => {
      const id = parseId(params['alarmId'], 'alarmId');
      const record = state.get('alarm', id);
      if (record === undefined || !maySeeAlarm(state, caller, record)) throw notFound('alarm', id);
      return { status: 200, body: presentAlarm(record) };
    }),
  ];
}

function* visibleAlarms(state: StateView, caller: Caller): Generator<StoredRecord<'alarm'>> {
  for (const record of state.list('alarm')) if (maySeeAlarm(state, caller, record)) yield record;
}

function notFound(what: string, id: string): IotmanoError {
  return new IotmanoError('not-found', `there is no ${what} ${id}`);
}
