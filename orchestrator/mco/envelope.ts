import { IotmanoError } from '../../kernel/index.ts';
import type { ApiRequest, ApiResponse } from '../api/route.ts';

/** Version of the reference point that this orchestrator speaks. */
export const MCO_VERSION = '1.0';

/** What every message of an agent carries beside its body. */
export interface Envelope {
  readonly bootId: string;
  /** Of operations that change something here. */
  readonly sequence: number;
  /** The host's clock minus ours, milliseconds, where the message told it. */
  readonly clockOffsetMilliseconds?: number;
}

/**
 * Reads the envelope of a request that has been validated against the specification.
 * @throws IotmanoError `invalid-parameter` where version or service provider do not fit
 */
export function readEnvelope({ headers }: ApiRequest, m2mSpId: string, epochMilliseconds: number): Envelope {
  const version = headers['mco-version'] ?? '';
  if (version.split('.', 1)[0] !== MCO_VERSION.split('.', 1)[0]) {
    throw new IotmanoError(
      'invalid-parameter',
      `header Mco-Version is ${version}; this orchestrator speaks ${MCO_VERSION} and other minors of it`,
      { parameter: 'Mco-Version' },
    );
  }
  const spId = headers['mco-sp-id'];
  if (spId !== undefined && spId !== m2mSpId) {
    throw new IotmanoError(
      'invalid-parameter',
      `header Mco-Sp-Id is ${spId}; this is the orchestrator of ${m2mSpId}: correct the address, or enrol the host here`,
      { parameter: 'Mco-Sp-Id' },
    );
  }
  const hostTime = Date.parse(headers['mco-time'] ?? '');
  return {
    bootId: headers['mco-boot-id'] ?? '',
    sequence: Number(headers['mco-sequence'] ?? 0),
    ...(Number.isNaN(hostTime) ? {} : { clockOffsetMilliseconds: hostTime - epochMilliseconds }),
  };
}

/** The answer with the envelope that every successful one carries. */
export function withEnvelope(response: ApiResponse, m2mSpId: string): ApiResponse {
  return {
    ...response,
    headers: { 'Mco-Version': MCO_VERSION, 'Mco-Sp-Id': m2mSpId, ...response.headers },
  };
}
