/** Where files come from: a browser that gives handles lets an interrupted publication go on without asking for its file again. */

export interface FilePicker {
  /** Whether `pick` can be called. */
  readonly canPick: boolean;
  /** Lets the person choose a file; null when they think better of it. To be called from a press. */
  pick(): Promise<File | null>;
  /** The first file that was dropped; to be called in the event. */
  dropped(transfer: DataTransfer): Promise<File | null>;
}

/** The files of a browser without handles. */
export const plainPicker: FilePicker = {
  canPick: false,
  pick: () => Promise.resolve(null),
  dropped: (transfer) => Promise.resolve(transfer.files[0] ?? null),
};

/**
 * A press on a file input of the page opens the browser's picker with handles instead, and the input has the file then. Returns how to stop that.
 */
export function pickWithHandles(picker: FilePicker): () => void {
  if (!picker.canPick) return () => undefined;
  const onClick = (event: MouseEvent): void => {
    const input = event.target;
    if (!(input instanceof HTMLInputElement) || input.type !== 'file' || !event.isTrusted) return;
    event.preventDefault();
    picker
      .pick()
      .then((file) => {
        if (!file) return;
        const transfer = new DataTransfer();
        transfer.items.add(file);
        input.files = transfer.files;
        input.dispatchEvent(new Event('change', { bubbles: true }));
      })
      .catch(() => {
        // A frame or a setting that forbids the picker: an input that the page presses itself is the plain one.
        input.click();
      });
  };
  document.addEventListener('click', onClick, true);
  return () => document.removeEventListener('click', onClick, true);
}
