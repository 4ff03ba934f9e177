/** Returns the name of an exposed port as Docker and the image specification write it: with its protocol, TCP where none is named. */
export function portName(text: string): string {
  const [port = '', protocol = ''] = text.toLowerCase().split('/');
  return `${port}/${protocol === '' ? 'tcp' : protocol}`;
}
