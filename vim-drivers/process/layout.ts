import { join } from 'node:path';
import { IotmanoError } from '../../kernel/index.ts';
import { instanceName, workloadId, type WorkloadId, type WorkloadKey } from '../contract.ts';

/** Where everything is below the driver's state directory. README.md describes it for people. */
export interface Layout {
  readonly root: string;
  readonly driverFile: string;
  readonly ownerFile: string;
  readonly scoreFile: string;
  readonly leaseFile: string;
  readonly keeperFile: string;
  readonly workloads: string;
  readonly artifacts: string;
  readonly volumes: string;
  /** Bindings, which hold secrets: in memory where the host has a file system there. */
  readonly secrets: string;
}

/** Paths of one slot of one workload. */
export interface SlotPaths {
  readonly directory: string;
  readonly recordFile: string;
  readonly attemptFile: string;
  readonly runFile: string;
  readonly exitFile: string;
  readonly instance: string;
  readonly ephemeralVolumes: string;
  readonly output: string;
  /** The content of the bindings file; in the instance's directory is a link to it. */
  readonly bindingsFile: string;
}

/** @param secrets directory for bindings; absent: below the root */
export function layoutOf(root: string, secrets = join(root, 'secrets')): Layout {
  return {
    root,
    driverFile: join(root, 'driver.json'),
    ownerFile: join(root, 'owner'),
    scoreFile: join(root, 'score.json'),
    leaseFile: join(root, 'lease'),
    keeperFile: join(root, 'keeper'),
    workloads: join(root, 'workloads'),
    artifacts: join(root, 'artifacts'),
    volumes: join(root, 'volumes'),
    secrets,
  };
}

const SAFE_NAME = /^[a-z0-9-]{1,100}$/;

/**
 * The id of a workload as a name of a directory.
 * @throws IotmanoError `invalid-parameter` when the key holds what must not reach a file system
 */
export function safeWorkloadId(key: WorkloadKey): WorkloadId {
  const id = workloadId(key);
  if (SAFE_NAME.test(id) && Number.isSafeInteger(key.generation)) return id;
  throw new IotmanoError(
    'invalid-parameter',
    `the workload key gives "${id.slice(0, 120)}", which must be at most 100 of a-z, 0-9 and "-"`,
    { unit: key.unit },
  );
}

export function workloadDirectory(layout: Layout, id: WorkloadId): string {
  return join(layout.workloads, id);
}

export function workloadFile(layout: Layout, id: WorkloadId): string {
  return join(workloadDirectory(layout, id), 'workload.json');
}

export function secretsDirectory(layout: Layout, id: WorkloadId): string {
  return join(layout.secrets, id);
}

export function slotPaths(layout: Layout, id: WorkloadId, slot: number): SlotPaths {
  const directory = join(workloadDirectory(layout, id), String(slot));
  return {
    directory,
    recordFile: join(directory, 'slot.json'),
    attemptFile: join(directory, 'attempt'),
    runFile: join(directory, 'run'),
    exitFile: join(directory, 'exit'),
    instance: join(directory, 'instance'),
    ephemeralVolumes: join(directory, 'volumes'),
    output: join(directory, 'output.log'),
    bindingsFile: join(secretsDirectory(layout, id), `${slot}.json`),
  };
}

/** Kept volumes belong to the slot of a unit, not to a generation: an upgrade finds them again. */
export function keptVolumesDirectory(layout: Layout, key: WorkloadKey, slot: number): string {
  return join(layout.volumes, instanceName({ ...key, generation: 0 }, slot));
}
