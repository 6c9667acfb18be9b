// Makes a large photo smaller before it travels over a slow network.

const ENOUGH_PIXELS = 2000; // the longer side
const SMALL_BYTES = 600_000;

for (const input of document.querySelectorAll("[data-upload]")) {
  input.addEventListener("change", async () => {
    const file = input.files[0];
    if (!file || !file.type.startsWith("image/") || file.size < SMALL_BYTES) return;
    try {
      const picture = await createImageBitmap(file, { imageOrientation: "from-image" });
      const scale = Math.min(1, ENOUGH_PIXELS / Math.max(picture.width, picture.height));
      const canvas = document.createElement("canvas");
      canvas.width = Math.round(picture.width * scale);
      canvas.height = Math.round(picture.height * scale);
      canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
      const blob = await new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.85));
      if (!blob || blob.size >= file.size || input.files[0] !== file) return;
      const smaller = new DataTransfer();
      smaller.items.add(new File([blob], file.name, { type: "image/jpeg" }));
      input.files = smaller.files;
    } catch {
      // The original goes; the server says what is wrong with it, if anything is.
    }
  });
}
