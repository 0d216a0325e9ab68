import { expect, it } from 'vitest';
import { bestEncoder, probeEncoders } from './probe-encoders.ts';

it('each encoder is tried, in the order of preference, and those that do not work say why', async () => {
  const reports = await probeEncoders();
  expect(reports.map(({ name }) => name)).toEqual(['h264_nvenc', 'h264_vaapi', 'h264_videotoolbox', 'libx264']);
  for (const { works, detail } of reports) expect(detail).toMatch(works ? /^encodes a picture/ : /\w/);
  expect(reports.find(({ name }) => name === 'libx264')?.works).toBe(true);
  expect(bestEncoder(reports)).not.toBeNull();
});

it('nothing is the best where nothing works', () => {
  expect(bestEncoder([{ name: 'libx264', works: false, detail: 'node-av is not installed' }])).toBeNull();
});
