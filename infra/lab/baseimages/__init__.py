from infra.lab.baseimages.artifact import StandIn
from infra.lab.baseimages.catalogue import IMAGES
from infra.lab.baseimages.recipe import BaseImage
from infra.lab.baseimages.rootfs import Tools
from infra.lab.baseimages.store import build, layout_of, push

__all__ = ["IMAGES", "BaseImage", "StandIn", "Tools", "build", "layout_of", "push"]
