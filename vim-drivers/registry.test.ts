import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { DRIVERS, isDriverName } from './registry.ts';

/** Folders of this room that hold no driver. */
const OTHER_FOLDERS = ['site-controller', 'conformance', 'host-files', 'supervision', 'collection'];

describe('the registry of drivers', () => {
  it('names every folder with a driver and no other', () => {
    const folders = readdirSync(import.meta.dirname, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && !OTHER_FOLDERS.includes(entry.name))
      .map((entry) => entry.name);
    expect(Object.keys(DRIVERS).toSorted()).toEqual(folders.toSorted());
  });

  it('gives for every name a module that makes a driver', async () => {
    for (const load of Object.values(DRIVERS)) {
      const makers = Object.keys(await load()).filter((key) => /^create[A-Z]\w*Driver$/.test(key));
      expect(makers).toHaveLength(1);
    }
  });

  it('tells names of drivers from other words', () => {
    expect(isDriverName('process')).toBe(true);
    expect(isDriverName('toString')).toBe(false);
  });
});
