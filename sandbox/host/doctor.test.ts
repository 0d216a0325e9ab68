import { tmpdir } from 'node:os';
import { describe, expect, it } from 'vitest';
import { doctor } from './doctor.ts';
import { readHostSettings } from './read-host-settings.ts';

async function examine(environment: Record<string, string>): Promise<{ code: number; text: string }> {
  let text = '';
  const settings = readHostSettings({ environment, directory: tmpdir() });
  const code = await doctor(settings, (written) => {
    text += written;
  });
  return { code, text };
}

describe('npx switchboard host doctor', () => {
  it('has a line for each driver, each encoder, sound, the packages and the address, and a verdict that its exit code repeats', async () => {
    const { code, text } = await examine({ PUBLIC_URL: 'http://10.1.2.3:8080' });
    const works = (part: string, name: string) =>
      new RegExp(`^${part} +${name} +(yes|no) {2,}\\S`, 'm').exec(text)?.[1];
    for (const driver of ['process', 'container']) expect(works('driver', driver), driver).toBeDefined();
    for (const picture of ['h264_nvenc', 'h264_vaapi', 'h264_videotoolbox', 'libx264', 'stills'])
      expect(works('picture', picture), picture).toBeDefined();
    expect(works('sound', 'DESKTOP_SOUND')).toBe('no');
    expect(works('system', 'packages')).toBeDefined();
    expect(works('page', 'PUBLIC_URL')).toBe('no');
    const isolates = [works('driver', 'process'), works('driver', 'container')].includes('yes');
    expect(code).toBe(isolates ? 0 : 1);
    for (const sound of isolates ? ['pulseaudio', 'libopus'] : []) expect(works('sound', sound), sound).toBeDefined();
    expect(text).toContain(isolates ? 'A Desktop can run here' : 'No Desktop can run here');
  });

  it('says when Desktops would run without isolation', async () => {
    const { code, text } = await examine({ SANDBOX_UNISOLATED: '1', PUBLIC_URL: 'https://desk.example.com' });
    expect(code).toBe(process.platform === 'linux' ? 0 : 1);
    expect(text).toMatch(/^driver +unisolated/m);
    expect(text).toMatch(/^page +PUBLIC_URL +yes/m);
  });
});
