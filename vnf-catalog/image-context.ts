import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  lutimesSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { parseDescriptor, type IoTFunctionDescriptor } from '../descriptors/index.ts';
import { IotmanoError } from '../kernel/index.ts';
import { bundleFunction, functionNames } from './build-packages.ts';
import { addHaproxy } from './image-haproxy.ts';

const HERE = import.meta.dirname;
const EPOCH = new Date(0);

export interface ImageContext {
  /** What descriptors call the image, e.g. `iotmano/functions:1.0.0`. */
  readonly image: string;
  readonly functions: readonly string[];
  /** As nats-server says it. */
  readonly natsServer: string;
  /** As haproxy says it. */
  readonly haproxy: string;
}

/**
 * Lays out the build context of the image of the functions (Dockerfile). The same sources, the same nats-server and
 * the same haproxy give the same bytes, modes and times.
 * @throws IotmanoError `artifact-unusable` when there is no nats-server or no haproxy on PATH, `invalid-descriptor` when functions disagree about their image
 */
export async function layOutImageContext(directory: string): Promise<ImageContext> {
  const bin = join(directory, 'opt', 'bin');
  const bundles = join(directory, 'opt', 'functions');
  for (const folder of [bin, bundles, join(directory, 'data')]) mkdirSync(folder, { recursive: true });
  const natsServer = addNatsServer(join(directory, 'opt'));
  const haproxy = addHaproxy(join(directory, 'opt'));
  const functions = functionNames();
  const images = new Set<string>();
  for (const name of functions) {
    const descriptor = readDescriptor(name);
    images.add(imageOf(descriptor));
    await bundleFunction(name, bundles);
    writeProgram(join(bin, name), commandOf(descriptor));
  }
  const [image, ...others] = images;
  if (image === undefined || others.length > 0) {
    throw new IotmanoError(
      'invalid-descriptor',
      `the functions of the catalogue name the images ${[...images].join(', ')}: give them one`,
    );
  }
  cpSync(join(HERE, 'Dockerfile'), join(directory, 'Dockerfile'));
  settle(directory);
  return { image, functions, natsServer, haproxy };
}

function readDescriptor(name: string): IoTFunctionDescriptor {
  const file = join(HERE, 'functions', name, 'descriptor.yaml');
  const { descriptor } = parseDescriptor(readFileSync(file, 'utf8'), { file });
  if (descriptor?.kind !== 'IoTFunctionDescriptor')
    throw new IotmanoError('invalid-descriptor', `${file} has faults: npm run build:catalog tells which`);
  return descriptor;
}

function imageOf({ metadata, units }: IoTFunctionDescriptor): string {
  const images = units.flatMap(({ artifacts }) =>
    artifacts.flatMap((artifact) => (artifact.type === 'container' ? [artifact.image] : [])),
  );
  const image = images[0] ?? 'none';
  if (!image.endsWith(`:${metadata.softwareVersion}`)) {
    throw new IotmanoError(
      'invalid-descriptor',
      `${metadata.productName} ${metadata.softwareVersion} names the image ${image}: its tag must be the softwareVersion`,
    );
  }
  return image;
}

/** How a process host starts it: with the limits of Node's heap that belong to the memory in the descriptor. */
function commandOf({ metadata, units }: IoTFunctionDescriptor): readonly string[] {
  const command = units
    .flatMap(({ artifacts }) => artifacts)
    .find((artifact) => artifact.type === 'process')?.command;
  if (command?.[0] !== 'node' || command.at(-1) !== `${metadata.productName}/main.js`) {
    throw new IotmanoError(
      'invalid-descriptor',
      `${metadata.productName}: its process artifact must be started with [node, ..., ${metadata.productName}/main.js]`,
    );
  }
  return command;
}

/** A command for PATH: it becomes the function's process, so that signals reach it. */
function writeProgram(file: string, command: readonly string[]): void {
  const words = [...command.slice(0, -1), `/opt/iotmano/functions/${command.at(-1) ?? ''}`];
  writeFileSync(file, `#!/bin/sh\nexec ${words.join(' ')} "$@"\n`);
  chmodSync(file, 0o755);
}

/** Puts nats-server and its licence below the folder. @returns its version */
function addNatsServer(folder: string): string {
  const found = spawnSync('sh', ['-c', 'command -v nats-server && nats-server --version'], {
    encoding: 'utf8',
  });
  const [path, version] = found.stdout.trim().split('\n');
  const [, major = 0, minor = 0] = /v(\d+)\.(\d+)\./.exec(version ?? '')?.map(Number) ?? [];
  if (found.status !== 0 || path === undefined || version === undefined || major * 100 + minor < 209) {
    throw new IotmanoError(
      'artifact-unusable',
      `the image needs nats-server 2.9 or newer, and PATH has ${version ?? 'none'}: install it (Debian: apt-get install nats-server)`,
    );
  }
  copyFileSync(path, join(folder, 'bin', 'nats-server'));
  chmodSync(join(folder, 'bin', 'nats-server'), 0o755);
  // nats-server has the licence of this project.
  const license = readFileSync(join(HERE, '..', 'LICENSE'), 'utf8');
  writeFileSync(
    join(folder, 'nats-server.LICENSE.txt'),
    `${version} (https://github.com/nats-io/nats-server), Copyright The NATS Authors\n\n${license}`,
  );
  return version;
}

/** One time for all, and modes that do not depend on who builds. */
function settle(folder: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) settle(path);
    else if (!/\/opt\/(bin|haproxy)\//.test(path)) chmodSync(path, 0o644);
    lutimesSync(path, EPOCH, EPOCH);
  }
  chmodSync(folder, 0o755);
  lutimesSync(folder, EPOCH, EPOCH);
}
