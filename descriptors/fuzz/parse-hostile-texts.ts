/** Parses every hostile text once and writes what it took, as JSON lines; run in a process of its own with a bounded heap. */
import { parseDescriptor } from '../index.ts';
import { HOSTILE_TEXTS } from './hostile-texts.ts';

parseDescriptor('apiVersion: iotmano/v1\nkind: IoTFunctionDescriptor\n', { file: 'warm-up' });
for (const [name, make] of Object.entries(HOSTILE_TEXTS)) {
  const text = make();
  const before = performance.now();
  const { faults } = parseDescriptor(text, { file: 'hostile.yaml' });
  const milliseconds = performance.now() - before;
  process.stdout.write(`${JSON.stringify({ name, milliseconds, faults: faults.length, rule: faults[0]?.rule })}\n`);
}
