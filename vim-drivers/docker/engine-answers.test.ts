import { describe, expect, it } from 'vitest';
import { refusalOf, translateEngineError } from './engine-errors.ts';
import { parseEvent } from './events.ts';
import { readHangup } from './hangup.ts';
import { parseManifest } from './image-archive.ts';
import { pullError } from './image-faults.ts';
import { isImageName, splitName } from './image-names.ts';
import { architectureName } from './inventory.ts';
import { isAfter, LogFrames } from './log-frames.ts';
import { sinceQuery } from './logs.ts';
import { PullProgress } from './pull-progress.ts';
import { readStats } from './usage.ts';

function refused(status: number, message: string): unknown {
  return Object.assign(new Error(message), { statusCode: status, json: { message } });
}

describe('an error of the engine', () => {
  it('is unavailable when nobody answers, and names the engine', () => {
    const refusedConnection = Object.assign(new Error('connect'), { code: 'ECONNREFUSED' });
    const error = translateEngineError(refusedConnection, 'list containers', 'unix:///x');
    expect(error).toMatchObject({ code: 'unavailable' });
    expect(error.message).toContain('unix:///x');
    expect(refusalOf(error)).toBeUndefined();
  });

  it('is a refusal when the engine says no', () => {
    const error = translateEngineError(refused(409, 'in use'), 'make it', 'unix:///x');
    expect(error).toMatchObject({ code: 'driver-failed' });
    expect(refusalOf(error)).toEqual({ status: 409, said: 'in use' });
  });
});

it('may pass when the disk of the engine is full', () => {
  const error = translateEngineError(refused(500, 'mkdir /x: no space left on device'), 'make it', 'x');
  expect(error).toMatchObject({ code: 'unavailable' });
});

describe('a pull that fails', () => {
  const why = (said: string): { code: string; message: string } =>
    pullError('a/b:1', translateEngineError(refused(500, said), 'pull', 'x'));

  it('is told apart by what can be done about it', () => {
    expect(
      why("pull access denied for a/b, repository does not exist or may require 'docker login'"),
    ).toMatchObject({ code: 'artifact-unusable' });
    expect(why('manifest for a/b:1 not found: manifest unknown')).toMatchObject({
      code: 'artifact-unusable',
    });
    expect(why('Get "https://r/v2/": dial tcp: lookup r: no such host')).toMatchObject({
      code: 'unavailable',
    });
    expect(why('write /x: no space left on device').message).toContain('disk is full');
    expect(why('no matching manifest for linux/arm64 in the manifest list entries')).toMatchObject({
      code: 'artifact-unusable',
    });
    expect(why('invalid reference format')).toMatchObject({ code: 'artifact-unusable' });
  });
});

it('splits names of images', () => {
  expect(splitName('busybox')).toEqual({ repository: 'busybox', tag: 'latest' });
  expect(splitName('r.example:5000/a/b')).toEqual({ repository: 'r.example:5000/a/b', tag: 'latest' });
  expect(splitName('r.example:5000/a/b:1.2')).toEqual({ repository: 'r.example:5000/a/b', tag: '1.2' });
  expect(splitName('a@sha256:0')).toEqual({ repository: 'a', tag: 'sha256:0' });
});

it('knows what cannot be the name of an image', () => {
  const names = ['busybox', 'r.example:5000/a_b/c-d:1.2', '[::1]:5000/a', 'a:1@sha256:0', 'Host/a'];
  expect(names.filter((name) => !isImageName(name))).toEqual([]);
  const others = ['', '../containers/json?', 'a/../b', 'a//b', 'a?b', 'a#b', 'a b', 'a%2f', '/a', 'a/'];
  expect(others.filter(isImageName)).toEqual([]);
});

it('tells how far a pull is', () => {
  const progress = new PullProgress('a:1');
  expect(progress.text).toBe('pulling the image a:1');
  progress.add({ status: 'Pulling from library/a', id: '1' });
  progress.add({ status: 'Pulling fs layer', id: 'l1' });
  progress.add({ status: 'Already exists', id: 'l2' });
  progress.add({ status: 'Downloading', id: 'l1', progressDetail: { current: 1_048_576, total: 4_194_304 } });
  expect(progress.text).toBe('pulling the image a:1: 1 of 2 layers, 1.0 of 4.0 MiB');
  progress.add({ status: 'Pull complete', id: 'l1', progressDetail: {} });
  expect(progress.text).toBe('pulling the image a:1: 2 of 2 layers, 4.0 of 4.0 MiB');
});

it('reads what an archive of an image holds, old and new', () => {
  const hex = 'a'.repeat(64);
  const id = `sha256:${hex}`;
  expect(parseManifest(JSON.stringify([{ Config: `${hex}.json`, RepoTags: ['a:1'] }]))).toEqual({
    images: [{ id, tags: ['a:1'] }],
  });
  expect(parseManifest(JSON.stringify([{ Config: `blobs/sha256/${hex}`, RepoTags: null }]))).toEqual({
    images: [{ id, tags: [] }],
  });
  for (const text of ['', '[]', '{', '[{"Config":"x"}]'])
    expect(() => parseManifest(text)).toThrow('not an archive of an image');
});

it('takes output apart wherever the engine cuts it', () => {
  const frame = (stream: number, text: string): Buffer => {
    const header = Buffer.alloc(8);
    header[0] = stream;
    header.writeUInt32BE(Buffer.byteLength(text), 4);
    return Buffer.concat([header, Buffer.from(text)]);
  };
  const whole = Buffer.concat([
    frame(1, '2026-01-01T00:00:00.5Z out\n'),
    frame(2, '2026-01-01T00:00:00.500000001Z err ä\n'),
  ]);
  for (let cut = 0; cut <= whole.byteLength; cut += 1) {
    const frames = new LogFrames();
    const pieces = [...frames.take(whole.subarray(0, cut)), ...frames.take(whole.subarray(cut))];
    expect(pieces.map(({ bytes }) => Buffer.from(bytes).toString())).toEqual(['out\n', 'err ä\n']);
    expect(isAfter(pieces[1]?.time ?? '', pieces[0]?.time ?? '')).toBe(true);
    expect(isAfter(pieces[0]?.time ?? '', pieces[0]?.time ?? '')).toBe(false);
  }
});

it('asks for output since a time without losing digits', () => {
  expect(sinceQuery('2026-01-01T00:00:00.123456789Z')).toBe('1767225600.123456789');
  expect(sinceQuery('2026-01-01T00:00:00Z')).toBe('1767225600.000000000');
});

it('sees whether the program handles SIGHUP, be there an init or not', () => {
  const Titles = ['PID', 'PPID', 'CAUGHT', 'IGNORED'];
  const none = '0000000000000000';
  const hangup = '0000000000000001';
  const table = (...Processes: string[][]): { Titles: string[]; Processes: string[][] } => ({
    Titles,
    Processes,
  });
  expect(readHangup(table(['10', '1', none, none], ['11', '10', hangup, none]), 10)).toBe(true);
  expect(readHangup(table(['10', '1', none, none], ['11', '10', none, hangup]), 10)).toBe(true);
  expect(
    readHangup(table(['10', '1', none, none], ['11', '10', none, none], ['12', '11', hangup, none]), 10),
  ).toBe(false);
  expect(readHangup(table(['10', '1', hangup, none], ['11', '10', none, none]), 10)).toBe(true);
  expect(readHangup({ Titles, Processes: null }, 10)).toBe(false);
});

it('measures as docker stats does, with either version of control groups', () => {
  const cpu_stats = { cpu_usage: { total_usage: 2_500_000_000 } };
  const networks = { eth0: { rx_bytes: 1, tx_bytes: 2 }, eth1: { rx_bytes: 10, tx_bytes: 20 } };
  const one = { usage: 100, stats: { total_inactive_file: 40, inactive_file: 1 } };
  expect(readStats({ cpu_stats, memory_stats: one, networks })).toEqual({
    cpuSeconds: 2.5,
    memoryBytes: 60,
    receivedBytes: 11,
    sentBytes: 22,
  });
  expect(
    readStats({ cpu_stats, memory_stats: { usage: 100, stats: { inactive_file: 30 } } })?.memoryBytes,
  ).toBe(70);
  expect(readStats({ memory_stats: {} })).toBeUndefined();
});

it('reads events, and survives what is none', () => {
  const line = JSON.stringify({ Type: 'container', Action: 'die', Actor: { ID: 'c1', Attributes: {} } });
  expect(parseEvent(line)).toEqual({ containerId: 'c1', action: 'die' });
  for (const other of ['', '{', 'null', '{"Type":"network"}']) expect(parseEvent(other)).toBeUndefined();
});

it('names architectures as images do', () => {
  expect(['x86_64', 'aarch64', 'armv7l', 'riscv64'].map(architectureName)).toEqual([
    'amd64',
    'arm64',
    'arm',
    'riscv64',
  ]);
});
