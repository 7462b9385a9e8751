import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Tab } from './tab.ts';

/** Fetches a playlist and all that it names through the page, and writes it below the folder under its own path. */
export async function saveHls(tab: Tab, folder: string, path: string): Promise<void> {
  const body = await fetchIn(tab, path);
  const file = join(folder, path);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, body);
  if (!path.endsWith('.m3u8')) return;
  const text = body.toString('utf8');
  const names = [...text.matchAll(/URI="([^"]+)"/g)].map((match) => match[1] as string);
  names.push(...text.split('\n').filter((line) => line !== '' && !line.startsWith('#')));
  for (const name of new Set(names)) await saveHls(tab, folder, new URL(name, `http://site${path}`).pathname);
}

async function fetchIn(tab: Tab, path: string): Promise<Buffer> {
  const base64 = await tab.page.evaluate(async (url) => {
    const response = await fetch(url);
    if (!response.ok) throw new Error(`${url}: ${response.status} ${await response.text()}`);
    const bytes = new Uint8Array(await response.arrayBuffer());
    let binary = '';
    for (const byte of bytes) binary += String.fromCharCode(byte);
    return btoa(binary);
  }, path);
  return Buffer.from(base64, 'base64');
}
