/** The picture of all stacks as a file: SVG with its own looks, and PNG made from it. In a browser only. */

const LOOKS = [
  'fill',
  'fill-opacity',
  'stroke',
  'stroke-width',
  'stroke-dasharray',
  'stroke-linecap',
  'font-family',
  'font-size',
  'font-weight',
  'text-anchor',
  'display',
  'opacity',
] as const;

/** The SVG as it looks on the page, self-contained: patterns of the page's sprite come along. */
export function svgText(svg: SVGSVGElement): string {
  const copy = svg.cloneNode(true) as SVGSVGElement;
  const [from, to] = [svg, copy].map((one) => [one, ...one.querySelectorAll<SVGElement>('*')]);
  from?.forEach((element, n) => {
    const looks = getComputedStyle(element);
    const style = LOOKS.map((name) => `${name}:${looks.getPropertyValue(name)}`).join(';');
    to?.[n]?.setAttribute('style', style);
  });
  // Nothing can be chosen in a file.
  for (const one of copy.querySelectorAll('[role]'))
    for (const name of ['role', 'tabindex', 'aria-label', 'aria-selected']) one.removeAttribute(name);
  copy.setAttribute('role', 'img');
  copy.setAttribute('aria-label', copy.querySelector('desc')?.textContent ?? '');
  const used = new Set(
    [...new XMLSerializer().serializeToString(copy).matchAll(/url\(["']?#([\w-]+)/g)].map(
      ([, id]) => id ?? '',
    ),
  );
  const definitions = [...used].flatMap((id) => {
    const found = document.getElementById(id);
    return found ? [new XMLSerializer().serializeToString(found)] : [];
  });
  copy.setAttribute('xmlns', 'http://www.w3.org/2000/svg');
  const paper = getComputedStyle(document.body).backgroundColor;
  const text = new XMLSerializer().serializeToString(copy);
  return text.replace(
    /^(<svg[^>]*>)/,
    `$1<defs>${definitions.join('')}</defs><rect width="100%" height="100%" fill="${paper}"/>`,
  );
}

/** The same in pixels, twice as many each way. */
export async function pngOf(svg: SVGSVGElement): Promise<Blob> {
  const image = new Image();
  image.src = `data:image/svg+xml,${encodeURIComponent(svgText(svg))}`;
  await image.decode();
  const canvas = document.createElement('canvas');
  canvas.width = svg.viewBox.baseVal.width * 2;
  canvas.height = svg.viewBox.baseVal.height * 2;
  canvas.getContext('2d')?.drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve, reject) =>
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error('no picture was made'))), 'image/png'),
  );
}

/** Hands a file to the reader. */
export function download(name: string, content: Blob): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href));
}
