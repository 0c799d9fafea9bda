"""References look as in every viewer, whatever colour space their files name."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image, ImageCms

from c2e_video.color.primaries import BT709, PRIMARIES, to_bt709
from c2e_video.color.transfer import transfer_of
from c2e_video.references.image import load_reference
from tests.references import icc

PATCHES = np.array(
    [[200, 60, 50], [60, 160, 70], [50, 80, 190], [210, 180, 60], [150, 110, 90], [200, 150, 130]]
)
PICTURE = np.kron(PATCHES.reshape(2, 3, 3), np.ones((20, 20, 1))).astype(np.uint8)


def shown(path: Path) -> Any:
    """The six patches as the reference has them."""
    image = load_reference(path).image
    return np.stack([image[y, x] for y in (10, 30) for x in (10, 30, 50)]).astype(int)


def in_profile(profile: bytes, mode: str = "RGB") -> Image.Image:
    """The patches in samples of a profile."""
    target = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    made = ImageCms.profileToProfile(
        *(Image.fromarray(PICTURE), ImageCms.createProfile("sRGB"), target),
        renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
        outputMode=mode,
    )
    assert made is not None
    return made


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.tif", "a.webp", "a.avif"])
@pytest.mark.parametrize("columns", [icc.ADOBE, icc.PROPHOTO], ids=["adobe", "prophoto"])
def test_rgb_profiles_are_followed(tmp_path: Path, name: str, columns: Any) -> None:
    profile = icc.rgb_profile(columns, 2.2)
    picture = in_profile(profile)
    assert np.abs(np.asarray(picture).astype(int) - PICTURE).max() > 20
    options: dict[str, Any] = {"quality": 100, "subsampling": 0} if name[-3:] == "jpg" else {}
    options |= {"quality": 100, "subsampling": "4:4:4"} if name[-4:] == "avif" else {}
    options |= {"lossless": True} if name[-4:] == "webp" else {}
    picture.save(tmp_path / name, icc_profile=profile, **options)
    assert np.abs(shown(tmp_path / name) - PATCHES).max() <= 6


def test_alpha_stays_where_a_profile_is_followed(tmp_path: Path) -> None:
    profile = icc.rgb_profile(icc.ADOBE, 2.2)
    picture = in_profile(profile)
    alpha = np.full((40, 60), 255, np.uint8)
    alpha[:, 40:] = 0
    picture.putalpha(Image.fromarray(alpha))
    picture.save(tmp_path / "a.png", icc_profile=profile)
    colours = shown(tmp_path / "a.png")
    assert np.abs(colours[[0, 1, 3, 4]] - PATCHES[[0, 1, 3, 4]]).max() <= 2
    assert (colours[[2, 5]] == 128).all()


def test_a_palette_has_its_profile_too(tmp_path: Path) -> None:
    profile = icc.rgb_profile(icc.ADOBE, 2.2)
    in_profile(profile).quantize(16).save(tmp_path / "a.png", icc_profile=profile)
    assert np.abs(shown(tmp_path / "a.png") - PATCHES).max() <= 3


@pytest.mark.parametrize("name", ["a.jpg", "a.tif"])
def test_cmyk_is_printed_with_its_own_inks(tmp_path: Path, name: str) -> None:
    inks = [(0, 158, 224), (226, 0, 122), (255, 236, 0), (30, 30, 30)]
    samples = np.zeros((40, 60, 4), np.uint8)
    for patch in range(4):
        samples[20 * (patch // 3) :, 20 * (patch % 3) :] = np.eye(4, dtype=np.uint8)[patch] * 255
    samples[20:, 20:] = (0, 0, 0, 0)
    picture = Image.frombytes("CMYK", (60, 40), samples.tobytes())
    options: dict[str, Any] = {"quality": 100, "subsampling": 0} if name == "a.jpg" else {}
    picture.save(tmp_path / name, icc_profile=icc.cmyk_profile(inks), **options)
    colours = shown(tmp_path / name)
    assert np.abs(colours[:4] - inks).max() <= 14  # eight bits of Lab, black points matched
    assert colours[4].min() > 250
    assert abs(colours[0] - (0, 255, 255)).max() > 50  # without the profile: the plain complement


@pytest.mark.parametrize("embedded", [True, False])
def test_lab_tiff(tmp_path: Path, embedded: bool) -> None:
    picture = in_profile(icc.lab_profile(), "LAB")
    options: dict[str, Any] = {"icc_profile": icc.lab_profile()} if embedded else {}
    picture.save(tmp_path / "a.tif", **options)
    assert np.abs(shown(tmp_path / "a.tif") - PATCHES).max() <= 4


def test_a_gray_profile_is_followed(tmp_path: Path) -> None:
    """In a picture that is gray but for what is laid under it."""
    gray = Image.fromarray(np.full((40, 60), 64, np.uint8))
    gray.save(tmp_path / "a.png", icc_profile=icc.gray_profile(1.0))
    from c2e_video.references.color_management import to_srgb

    with open(tmp_path / "a.png", "rb") as file, Image.open(file) as picture:
        assert picture.mode == "L"
        level = np.asarray(to_srgb(picture, file, adobe_rgb=False))[0, 0]
    assert np.abs(level.astype(int) - 137).max() <= 1  # the sRGB curve of 64 / 255


@pytest.mark.parametrize(
    "profile",
    [b"no profile", icc.gray_profile(2.2), icc.rgb_profile(icc.ADOBE, 2.2)[:200]],
    ids=["text", "gray", "cut"],
)
def test_a_profile_that_does_not_fit_is_passed_over(tmp_path: Path, profile: bytes) -> None:
    Image.fromarray(PICTURE).save(tmp_path / "a.png", icc_profile=profile)
    np.testing.assert_array_equal(shown(tmp_path / "a.png"), PATCHES)


def test_an_srgb_profile_changes_no_sample(tmp_path: Path) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    Image.fromarray(PICTURE).save(tmp_path / "a.png", icc_profile=profile)
    np.testing.assert_array_equal(load_reference(tmp_path / "a.png").image, PICTURE)


def png(samples: Any, **chunks: bytes) -> bytes:
    """A PNG of eight or sixteen bits with ancillary chunks."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    depth = 8 * samples.dtype.itemsize
    height, width = samples.shape[:2]
    rows = b"".join(
        b"\0" + row.astype(samples.dtype.newbyteorder(">")).tobytes() for row in samples
    )
    head = struct.pack(">IIBBBBB", width, height, depth, 2, 0, 0, 0)
    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            chunk(b"IHDR", head),
            *(chunk(name.encode(), body) for name, body in chunks.items()),
            chunk(b"IDAT", zlib.compress(rows)),
            chunk(b"IEND", b""),
        )
    )


def sixteen(light: Any, gamma: float = 1.0) -> Any:
    return (light.clip(0, 1) ** (1 / gamma) * 65535).round().astype(np.uint16)


def chrm(numbers: Any) -> bytes:
    white, red, green, blue = numbers.white, numbers.red, numbers.green, numbers.blue
    return struct.pack(">8I", *(round(v * 100000) for xy in (white, red, green, blue) for v in xy))


def linear(primaries: int = 1) -> Any:
    """The patches as light of other primaries."""
    light = transfer_of(13).linear(torch.from_numpy(PICTURE / 255)).numpy()
    return light @ np.linalg.inv(to_bt709(PRIMARIES[primaries])).T


@pytest.mark.parametrize("gamma", [1.0, 1 / 1.8, 0.7])
def test_png_gamma(tmp_path: Path, gamma: float) -> None:
    samples = sixteen((PICTURE / 255) ** 2.2, 1 / gamma)
    (tmp_path / "a.png").write_bytes(png(samples, gAMA=struct.pack(">I", round(gamma * 100000))))
    assert np.abs(shown(tmp_path / "a.png") - PATCHES).max() <= 3


def test_png_gamma_of_srgb_changes_no_sample(tmp_path: Path) -> None:
    """As ImageMagick writes it, with or without the chromaticities of sRGB."""
    for more in ({}, {"cHRM": chrm(BT709)}):
        (tmp_path / "a.png").write_bytes(png(PICTURE, gAMA=struct.pack(">I", 45455), **more))
        np.testing.assert_array_equal(load_reference(tmp_path / "a.png").image, PICTURE)


@pytest.mark.parametrize("primaries", [4, 5, 6, 9, 11, 12])
def test_png_chromaticities(tmp_path: Path, primaries: int) -> None:
    samples = sixteen(linear(primaries), 2.2)
    chunks = {"gAMA": struct.pack(">I", 45455), "cHRM": chrm(PRIMARIES[primaries])}
    (tmp_path / "a.png").write_bytes(png(samples, **chunks))
    assert np.abs(shown(tmp_path / "a.png") - PATCHES).max() <= 8  # 2.2 is not the sRGB curve


@pytest.mark.parametrize("chromaticity", [bytes(32), struct.pack(">8I", *([31270, 32900] * 4))])
def test_chromaticities_that_are_none_are_passed_over(tmp_path: Path, chromaticity: bytes) -> None:
    (tmp_path / "a.png").write_bytes(png(PICTURE, cHRM=chromaticity))
    np.testing.assert_array_equal(shown(tmp_path / "a.png"), PATCHES)


@pytest.mark.parametrize("primaries", [1, 9, 12])
@pytest.mark.parametrize("transfer", [1, 8, 13, 16, 18])
def test_png_cicp_goes_before_all_else(tmp_path: Path, primaries: int, transfer: int) -> None:
    curve = transfer_of(transfer)
    light = torch.from_numpy(linear(primaries))
    if curve.system_gamma == 1.2:  # what a display shows is the scene's luminance to that power
        wanted = torch.from_numpy(linear() @ np.array([0.2126, 0.7152, 0.0722]))[..., None]
        light = light * (wanted ** (1 / 1.2) / wanted)
    samples = sixteen(curve.encode(light).numpy())
    codes = bytes((primaries, transfer, 0, 1))
    content = png(samples, cICP=codes, gAMA=struct.pack(">I", 100000), sRGB=b"\0")
    (tmp_path / "a.png").write_bytes(content)
    # HDR has eight bits here for a hundred times the light.
    assert np.abs(shown(tmp_path / "a.png") - PATCHES).max() <= (10 if curve.system_gamma else 3)


@pytest.mark.parametrize("name", ["a.jpg", "a.webp", "a.png"])
@pytest.mark.parametrize("orientation", [1, 3])
@pytest.mark.parametrize("tag", ["R03", 2])
def test_exif_may_say_adobe_rgb(tmp_path: Path, name: str, orientation: int, tag: Any) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    if tag == 2:
        exif.get_ifd(0x8769)[0xA001] = 2
    else:
        exif.get_ifd(0x8769)[0xA005] = {1: tag}
    samples = np.asarray(in_profile(icc.rgb_profile(icc.ADOBE, 563 / 256)))
    stored = Image.fromarray(samples[::-1, ::-1] if orientation == 3 else samples)
    options: dict[str, Any] = {"quality": 100, "subsampling": 0} if name == "a.jpg" else {}
    options |= {"lossless": True} if name == "a.webp" else {}
    stored.save(tmp_path / name, exif=exif, **options)
    assert np.abs(shown(tmp_path / name) - PATCHES).max() <= 3


def test_heif_code_points(tmp_path: Path) -> None:
    """Display P3 in an AVIF, as phones have it in their HEIC."""
    samples = transfer_of(13).encode(torch.from_numpy(linear(12))).mul(255).round().byte().numpy()
    Image.fromarray(samples).save(tmp_path / "a.avif", quality=100, subsampling="4:4:4")
    content = (tmp_path / "a.avif").read_bytes()
    at = content.index(b"colrnclx") + 8
    (tmp_path / "a.avif").write_bytes(content[:at] + b"\0\x0c\0\x0d" + content[at + 4 :])
    assert np.abs(shown(tmp_path / "a.avif") - PATCHES).max() <= 6


def test_jpeg_2000_profiles_are_followed(tmp_path: Path) -> None:
    profile = icc.rgb_profile(icc.ADOBE, 2.2)
    in_profile(profile).save(tmp_path / "a.jp2")
    content = (tmp_path / "a.jp2").read_bytes()
    at = content.index(b"colr") - 4
    size = int.from_bytes(content[at : at + 4], "big")
    box = struct.pack(">I", 11 + len(profile)) + b"colr\2\0\0" + profile
    header = content.index(b"jp2h") - 4
    grown = int.from_bytes(content[header : header + 4], "big") + len(box) - size
    content = content[:at] + box + content[at + size :]
    content = content[:header] + struct.pack(">I", grown) + content[header + 4 :]
    (tmp_path / "a.jp2").write_bytes(content)
    assert np.abs(shown(tmp_path / "a.jp2") - PATCHES).max() <= 3
