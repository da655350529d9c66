import { readFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { IotmanoError, messageOf } from '../../kernel/index.ts';
import { schemaFaults } from '../mco-document.ts';
import { digestOf, gzipTar } from './archive.ts';
import type { AssignmentWish, Schemas } from './ledger.ts';

type Spec = Schemas['workload-spec'];

/** What the host of the agent under test can run. */
export interface WorkloadFile {
  /** Runs until it is stopped. */
  readonly runs: Spec;
  /** Ends with a failure at once, and is not started again. */
  readonly fails: Spec;
  /** Ends well within a second; absent: what needs it is not applicable. */
  readonly ends?: Spec;
  /** What `runs` writes at its start, part of it; absent: nothing is known of that. */
  readonly prints?: string;
  /** Words before a script, by which a POSIX shell in the context of `runs` reads it; absent: what needs a command is not applicable. */
  readonly shell?: readonly string[];
}

const BASE: Omit<Spec, 'artifact'> = {
  run: { mode: 'service' },
  resources: { cpuMillis: 10, memoryBytes: 268_435_456 },
  volumes: [],
  files: [],
  ports: [],
  env: {},
  security: { nonRoot: false, readOnlyRoot: false, capabilities: [] },
  probes: {},
  stop: { signal: 'SIGTERM', graceSeconds: 2 },
  restart: { withinSeconds: 60, times: 3, backoffMinSeconds: 0.1, backoffMaxSeconds: 1 },
  coldBoot: true,
};

/** For hosts that run processes, and have node. */
export const DEFAULT_WORKLOAD: WorkloadFile = {
  runs: {
    ...BASE,
    artifact: {
      type: 'process',
      command: ['node', '-e', "console.log('kit runs'); setInterval(() => {}, 1000)"],
    },
  },
  fails: {
    ...BASE,
    artifact: { type: 'process', command: ['node', '-e', 'process.exit(3)'] },
    restart: { ...BASE.restart, times: 0 },
  },
  ends: { ...BASE, artifact: { type: 'process', command: ['node', '-e', '0'] } },
  prints: 'kit runs',
  shell: ['sh', '-c'],
};

/** @throws IotmanoError naming the file and what is wrong in it */
export function readWorkloadFile(file: string): WorkloadFile {
  try {
    const written = JSON.parse(readFileSync(file, 'utf8')) as Partial<WorkloadFile>;
    const members = ['runs', 'fails', ...(written.ends === undefined ? [] : ['ends' as const])] as const;
    const faults = [
      ...members.flatMap((member) =>
        schemaFaults('workload-spec.json', written[member]).map((fault) => `${member}: ${fault}`),
      ),
      ...faultsOfWords(written),
    ];
    if (faults.length === 0) return written as WorkloadFile;
    throw new IotmanoError('invalid-parameter', faults.join('; '));
  } catch (error) {
    throw new IotmanoError(
      'invalid-parameter',
      `--workload ${file} is to be a JSON file with the members "runs" and "fails", and "ends" where there is such a workload, each as workload-spec.json says, "prints" (a text) and "shell" (words): ${messageOf(error)}`,
      { parameter: 'workload' },
      error,
    );
  }
}

function faultsOfWords({ prints, shell }: Partial<Record<keyof WorkloadFile, unknown>>): readonly string[] {
  const isText = prints === undefined || (typeof prints === 'string' && prints !== '');
  const areWords =
    shell === undefined ||
    (Array.isArray(shell) && shell.length > 0 && shell.every((word) => typeof word === 'string'));
  return [
    ...(isText ? [] : ['prints: it has to be a text']),
    ...(areWords ? [] : ['shell: it has to be words, such as ["sh", "-c"]']),
  ];
}

/** An assignment of one instance. Its name is new each time, so that no case meets what another one left. */
export function wishOf(name: string, spec: Spec, instances = 1): AssignmentWish {
  return {
    lostAfterSeconds: 30,
    workload: {
      key: { tenant: 'default', vnfInstanceId: name, unit: 'main', generation: 1 },
      labels: { function: name },
      spec,
      specHash: digestOf(Buffer.from(JSON.stringify(spec))),
      instances: Array.from({ length: instances }, (_, slot) => ({ slot, epoch: 0 })),
      bindings: { config: {}, requires: {}, clients: [] },
    },
  };
}

const PADDING_BYTES = 512 * 1024;

/**
 * A file for a workload, new each time, large enough to be cut off on its way, and the spec with it.
 * @param limit how fast the agent may fetch it at most
 */
export function withFile(
  spec: Spec,
  limit: { readonly bitsPerSecond?: number } = {},
  paddingBytes = PADDING_BYTES,
): {
  readonly spec: Spec;
  readonly file: Buffer;
  readonly digest: string;
} {
  const file = gzipTar('padding.bin', randomBytes(paddingBytes));
  const digest = digestOf(file);
  return {
    spec: { ...spec, artifact: { ...spec.artifact, files: { digest, sizeBytes: file.length, ...limit } } },
    file,
    digest,
  };
}
