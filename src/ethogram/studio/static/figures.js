// A figure as PNG: drawn from its SVG at twice the size, here in the browser, and handed to the user as a file.
window.figureAsPng = (address, name) => {
  const picture = new Image();
  picture.onload = () => {
    const canvas = document.createElement("canvas");
    canvas.width = 2 * (picture.naturalWidth || 800);
    canvas.height = 2 * (picture.naturalHeight || 500);
    const pen = canvas.getContext("2d");
    pen.fillStyle = "white";
    pen.fillRect(0, 0, canvas.width, canvas.height);
    pen.drawImage(picture, 0, 0, canvas.width, canvas.height);
    canvas.toBlob((data) => {
      const link = document.createElement("a");
      link.href = URL.createObjectURL(data);
      link.download = name + ".png";
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 1000);
    });
  };
  picture.src = address;
};
