import type { UnitPort } from '../../descriptors/index.ts';
import type { WorkloadKey } from '../contract.ts';
import { shortHash } from './names.ts';

/** Numbers for ports that nobody outside the cluster asks for: a pod has an address of its own, and all of them are free there. */
const FIRST_INNER = 20_000;
const INNER_COUNT = 10_000;

export interface PortPlan {
  /** Ports of the Service: their numbers are node ports, chosen by the cluster where the descriptor gives none. */
  readonly published: readonly UnitPort[];
  /** Ports with a number that no node port may have: they are taken on the machine that the pod runs on. */
  readonly onMachine: readonly UnitPort[];
  /** Numbers of the ports that only the cluster itself reaches. */
  readonly inner: Readonly<Record<string, number>>;
}

/**
 * How each port of an instance comes to its number.
 * @param isNodePort whether the cluster lets a Service have that node port
 */
export function planPorts(
  key: WorkloadKey,
  slot: number,
  ports: readonly UnitPort[],
  isNodePort: (number: number) => boolean,
): PortPlan {
  const exposed = ports.filter(({ expose }) => expose);
  const isOnMachine = ({ number }: UnitPort): boolean => number !== undefined && !isNodePort(number);
  return {
    published: exposed.filter((port) => !isOnMachine(port)),
    onMachine: exposed.filter(isOnMachine),
    inner: innerPorts(
      key,
      slot,
      ports.filter(({ expose }) => !expose),
      ports,
    ),
  };
}

function innerPorts(
  key: WorkloadKey,
  slot: number,
  inner: readonly UnitPort[],
  all: readonly UnitPort[],
): Record<string, number> {
  const taken = new Set(all.flatMap(({ number }) => (number === undefined ? [] : [number])));
  const base = Number.parseInt(shortHash(8, key.vnfInstanceId, key.unit), 16) + slot * inner.length;
  const numbers: Record<string, number> = {};
  let next = base;
  for (const { name, number } of inner) {
    if (number !== undefined) {
      numbers[name] = number;
      continue;
    }
    while (taken.has(FIRST_INNER + (next % INNER_COUNT))) next += 1;
    numbers[name] = FIRST_INNER + (next % INNER_COUNT);
    next += 1;
  }
  return numbers;
}

/** Name of a port in a pod and its Service, where names are short. */
export function portName(index: number): string {
  return `port-${index}`;
}
