import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { seededRandom } from '../../e2e/seeded-random.ts';
import type { Chromium } from './chromium.ts';

/**
 * Two pages as people read them, made by the browser itself: a bar, headings, columns of text, a table, a picture. What a screen mostly
 * shows: fine and sharp, neither flat nor a photograph. Answers with the PNGs' paths in `folder`.
 */
export async function drawPages(chromium: Chromium, folder: string): Promise<string[]> {
  const tab = await chromium.newPage();
  const paths: string[] = [];
  for (const seed of [1, 2]) {
    await tab.navigate(`data:text/html;base64,${Buffer.from(pageHtml(seed)).toString('base64')}`);
    await tab.evaluate(
      'new Promise((done) => { const look = () => document.readyState === "complete" ? requestAnimationFrame(() => requestAnimationFrame(done)) : setTimeout(look, 20); look(); })',
    );
    const path = join(folder, `page-${seed}.png`);
    await writeFile(path, await tab.screenshot());
    paths.push(path);
  }
  await tab.close();
  return paths;
}

function pageHtml(seed: number): string {
  const random = seededRandom(seed);
  const pick = (from: readonly string[]) => from[Math.floor(random() * from.length)] ?? '';
  const word = () => Array.from({ length: 1 + Math.floor(random() * 3) }, () => pick(syllables)).join('');
  const words = (count: number) => Array.from({ length: count }, word).join(' ');
  const paragraph = () => `<p>${words(60 + Math.floor(random() * 50))}. <a href="#">${words(3)}</a> ${words(20)}.</p>`;
  const row = () =>
    `<tr>${Array.from({ length: 6 }, () => `<td>${(random() * 10_000).toFixed(2)}</td>`).join('')}</tr>`;
  const hue = seed * 140;
  return `<!doctype html><meta charset="utf-8"><style>
    body { margin: 0; font: 15px/1.4 "DejaVu Sans", "Liberation Sans", sans-serif; color: #222; background: #fbfbf8; overflow: hidden }
    nav { height: 80px; background: linear-gradient(90deg, hsl(${hue} 60% 30%), hsl(${hue + 60} 60% 55%)) }
    main { columns: 3; column-gap: 36px; padding: 20px 90px; height: 930px }
    h2 { font-size: 24px; margin: 8px 0 } a { color: hsl(${hue} 70% 40%) }
    table { border-collapse: collapse; font: 13px monospace; width: 100%; margin: 12px 0 }
    td { border: 1px solid #ccc; padding: 3px 6px; text-align: right } tr:nth-child(even) { background: #eef1f6 }
    svg { width: 100%; height: 300px; display: block; border-radius: 12px; box-shadow: 0 4px 18px #0006; margin: 14px 0 }
  </style><nav></nav><main>${[1, 2, 3, 4, 5, 6]
    .map(
      (n) => `<h2>${words(4)}</h2>${paragraph()}${n % 3 === 1 ? picture(seed * 10 + n) : ''}${paragraph()}
        ${n % 2 === 0 ? `<table>${Array.from({ length: 8 }, row).join('')}</table>` : ''}`,
    )
    .join('')}</main>`;
}

/** Clouds that look like a photograph to a codec. */
function picture(seed: number): string {
  return `<svg><filter id="f${seed}"><feTurbulence type="fractalNoise" baseFrequency="0.012" numOctaves="5" seed="${seed}"/>
    <feColorMatrix values="1.6 0 0 0 -.3  0 1.6 0 0 -.3  0 0 1.6 0 -.3  0 0 0 0 1"/></filter>
    <rect width="100%" height="100%" filter="url(#f${seed})"/></svg>`;
}

const syllables = 'ba co di fen gor hu il ka len mo nar os per qui ra sto ta um ver wes xi yor zen'.split(' ');
