/** Small pictures as data: addresses: the page's state is plain text. */

/** Null for bytes that are neither JPEG nor WebP by their first ones: nothing else is shown as a picture. */
export function pictureAddress(bytes: Uint8Array): string | null {
  const mime = mimeOf(bytes);
  return mime && `data:${mime};base64,${btoa(String.fromCharCode(...bytes))}`;
}

function mimeOf(bytes: Uint8Array): string | null {
  if (bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[2] === 0xff) return 'image/jpeg';
  const riff = String.fromCharCode(...bytes.subarray(0, 4)) === 'RIFF';
  return riff && String.fromCharCode(...bytes.subarray(8, 12)) === 'WEBP' ? 'image/webp' : null;
}
