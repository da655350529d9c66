import { RESOURCE_TYPE, type ResourceAttributes } from '../../shared/index.ts';

/** Attributes of the CSEBase (TS-0001 clause 9.6.3): an infrastructure CSE that knows these types and releases. */
export function baseAttributes(cseId: string): ResourceAttributes {
  return {
    cst: 1,
    csi: cseId,
    srt: Object.values(RESOURCE_TYPE),
    srv: ['2a', '3', '4', '5'],
    csz: ['application/json'],
    poa: [],
  };
}
